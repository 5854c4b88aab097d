import type { NodeFacts } from "./node-facts.ts";

/** A resource that Google's cloud knows, and its labels. */
export interface Resource {
  readonly type: "k8s_container" | "k8s_pod" | "gce_instance" | "generic_node";
  readonly labels: Readonly<Record<string, string>>;
}

/** Where this proxy runs, as the cloud sees it [telemetry §5.3]. */
export interface Platform {
  /** "" where the platform names none. */
  readonly project: string;
  readonly meshUid: string;
  readonly serverMetrics: Resource;
  readonly clientMetrics: Resource;
  readonly serverLogs: Resource;
  readonly clientLogs: Resource;
}

export function platformOf(node: NodeFacts): Platform {
  const platform = (name: string) => node("PLATFORM_METADATA", name);
  const resources = resourcesOf(node, platform);
  return {
    project: platform("gcp_project"),
    meshUid: meshUidOf(node("MESH_ID"), platform("gcp_project_number")),
    ...resources,
  };
}

type Resources = Pick<Platform, "serverMetrics" | "clientMetrics" | "serverLogs" | "clientLogs">;

function resourcesOf(node: NodeFacts, platform: (name: string) => string): Resources {
  const project = platform("gcp_project");
  const location = platform("gcp_location");
  const cluster = platform("gcp_gke_cluster_name");
  if (cluster !== "") {
    const place = { project_id: project, location, cluster_name: cluster };
    const labels = { ...place, namespace_name: node("NAMESPACE"), pod_name: node("NAME") };
    const server: Resource = { type: "k8s_container", labels: { ...labels, container_name: containerOf(node) } };
    const client: Resource = { type: "k8s_pod", labels };
    return { serverMetrics: server, clientMetrics: client, serverLogs: server, clientLogs: client };
  }
  const instanceId = platform("gcp_gce_instance_id");
  const instance: Resource = {
    type: "gce_instance",
    labels: { project_id: project, zone: location, instance_id: instanceId },
  };
  const generic: Resource = {
    type: "generic_node",
    labels: { project_id: project, location, namespace: node("NAMESPACE"), node_id: node("INSTANCE_IPS") },
  };
  // Upstream's logger has this the other way round from its metrics, and log views are built on that.
  const isInstance = instanceId !== "" || platform("gcp_gce_instance_created_by") !== "";
  const [metrics, logs] = isInstance ? [instance, generic] : [generic, instance];
  return { serverMetrics: metrics, clientMetrics: metrics, serverLogs: logs, clientLogs: logs };
}

/** The only application of the pod; of several none is the one that served. */
function containerOf(node: NodeFacts): string {
  const names = node("APP_CONTAINERS")
    .split(",")
    .filter((name) => name !== "");
  return names.length === 1 ? (names[0] ?? "") : "istio-proxy";
}

function meshUidOf(meshId: string, projectNumber: string): string {
  if (meshId.startsWith("proj-")) return meshId;
  return projectNumber === "" ? "unknown" : `proj-${projectNumber}`;
}
