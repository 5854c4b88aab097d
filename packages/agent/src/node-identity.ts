/** A JSON value as it appears in node metadata. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Who a sidecar is, before it is put into xDS form [control-plane §4.1]. */
export interface WorkloadIdentity {
  readonly type: "sidecar" | "router";
  readonly name: string;
  readonly namespace: string;
  readonly workload: string;
  /** The first one names the node. */
  readonly instanceIps: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly clusterId: string;
  readonly meshId: string;
  readonly istioVersion: string;
  readonly domain: string;
  readonly interceptionMode: "NONE" | "REDIRECT" | "TPROXY";
  /** What the workload's owner is called; null derives a Deployment of the workload's name. */
  readonly owner: string | null;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
}

/** `type~ip~name.namespace~domain`, the four parts that name a proxy. */
export function nodeId(identity: WorkloadIdentity): string {
  const { type, instanceIps, name, namespace, domain } = identity;
  return `${type}~${instanceIps[0] ?? "0.0.0.0"}~${name}.${namespace}~${namespace}.svc.${domain}`;
}

/** Service cluster: `<app>.<namespace>`, else `<workload>.<namespace>` [telemetry §1.6]. */
export function serviceCluster(identity: WorkloadIdentity): string {
  const { labels, namespace, workload } = identity;
  const app = labels.app ?? labels["app.kubernetes.io/name"] ?? labels["service.istio.io/canonical-name"];
  return `${app ?? (workload || "istio-proxy")}.${namespace}`;
}

/** Node metadata under Istio's keys. `environment` entries `ISTIO_META_…` and `ISTIO_METAJSON_…` add to it and win. */
export function nodeMetadata(
  identity: WorkloadIdentity,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, Json> {
  const labels = withCanonicalNames(identity);
  const { namespace, workload } = identity;
  const metadata: Record<string, Json> = {
    NAME: identity.name,
    NAMESPACE: namespace,
    WORKLOAD_NAME: workload,
    OWNER: identity.owner ?? `kubernetes://apis/apps/v1/namespaces/${namespace}/deployments/${workload}`,
    LABELS: { ...labels },
    ANNOTATIONS: { ...identity.annotations },
    SERVICE_ACCOUNT: identity.serviceAccount,
    CLUSTER_ID: identity.clusterId,
    MESH_ID: identity.meshId,
    ISTIO_VERSION: identity.istioVersion,
    INSTANCE_IPS: identity.instanceIps.join(","),
    INTERCEPTION_MODE: identity.interceptionMode,
  };
  mergeEnvironment(metadata, environment);
  return metadata;
}

/** Adds the canonical-name and canonical-revision labels where they are missing [telemetry §1.6]. */
function withCanonicalNames(identity: WorkloadIdentity): Record<string, string> {
  const { labels, workload } = identity;
  const nameLabel = "service.istio.io/canonical-name";
  const revisionLabel = "service.istio.io/canonical-revision";
  return {
    ...labels,
    [nameLabel]: labels[nameLabel] ?? labels["app.kubernetes.io/name"] ?? labels.app ?? workload,
    [revisionLabel]: labels[revisionLabel] ?? labels["app.kubernetes.io/version"] ?? labels.version ?? "latest",
  };
}

function mergeEnvironment(
  metadata: Record<string, Json>,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  for (const [key, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (key.startsWith("ISTIO_META_")) metadata[key.slice("ISTIO_META_".length)] = value;
    else if (key.startsWith("ISTIO_METAJSON_")) mergeJson(metadata, key, value);
  }
}

function mergeJson(metadata: Record<string, Json>, key: string, text: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`${key} is not JSON (${(error as Error).message}). Give a JSON object, for example {"app":"web"}.`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Error(`${key} must be a JSON object, for example {"app":"web"}.`);
  }
  const object = parsed as Record<string, Json>;
  if (key !== "ISTIO_METAJSON_LABELS") {
    Object.assign(metadata, object);
    return;
  }
  const labels = { ...(metadata.LABELS as Record<string, Json>), ...object };
  // A new hash with each rollout would make a new series of everything.
  delete labels["pod-template-hash"];
  metadata.LABELS = labels;
}
