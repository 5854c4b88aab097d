// Names by which telemetry knows a workload (telemetry §1.6). First hit wins.
import type { ConfigObject } from "../config/config-object.ts";
import type { StringMap } from "../config/kinds/common.ts";

const WORKLOAD_NAME_LABEL = "service.istio.io/workload-name";
const LATEST = "latest";

export function canonicalName(labels: StringMap, workloadName: string): string {
  return labels["service.istio.io/canonical-name"] || labels["app.kubernetes.io/name"] || labels.app || workloadName;
}

export function canonicalRevision(labels: StringMap): string {
  return (
    labels["service.istio.io/canonical-revision"] || labels["app.kubernetes.io/version"] || labels.version || LATEST
  );
}

/** The controller behind a Pod: its Deployment, CronJob and so on, or the Pod itself. */
export function podWorkloadName(pod: ConfigObject<"Pod">): string {
  return pod.metadata.labels[WORKLOAD_NAME_LABEL] || controllerName(pod);
}

export function workloadEntryName(entry: ConfigObject<"WorkloadEntry">, labels: StringMap): string {
  return entry.metadata.annotations["istio.io/autoRegistrationGroup"] || labels[WORKLOAD_NAME_LABEL] || entry.name;
}

function controllerName(pod: ConfigObject<"Pod">): string {
  const { generateName, labels, ownerReferences } = pod.metadata;
  const owner = ownerReferences.find((reference) => reference.controller);
  if (generateName === "" || owner === undefined) return pod.name;
  const hash = labels["pod-template-hash"] || labels["rollouts-pod-template-hash"];
  if (owner.kind === "ReplicaSet" && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return owner.name.slice(0, -hash.length - 1);
  }
  if (owner.kind === "ReplicationController") return labels.deploymentconfig || owner.name;
  if (owner.kind === "Job") return owner.name.replace(/-\d{8,10}$/, "");
  return owner.name;
}

/** Endpoint metadata `istio.workload`; a revision of `latest` is left out. */
export function istioWorkload(parts: {
  readonly workloadName: string;
  readonly namespace: string;
  readonly canonicalName: string;
  readonly canonicalRevision: string;
  readonly clusterId: string;
}): string {
  const revision = parts.canonicalRevision === LATEST ? "" : parts.canonicalRevision;
  return [parts.workloadName, parts.namespace, parts.canonicalName, revision, parts.clusterId].join(";");
}
