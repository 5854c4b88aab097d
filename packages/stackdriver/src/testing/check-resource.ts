import type { MonitoredResource } from "@mixerless/wire/google/api/monitored_resource";

/** The labels of the resources that Google has; no others are taken. */
const RESOURCES: Readonly<Record<string, readonly string[]>> = {
  k8s_container: ["project_id", "location", "cluster_name", "namespace_name", "pod_name", "container_name"],
  k8s_pod: ["project_id", "location", "cluster_name", "namespace_name", "pod_name"],
  gce_instance: ["project_id", "zone", "instance_id"],
  generic_node: ["project_id", "location", "namespace", "node_id"],
};

export function checkResource(resource: MonitoredResource | undefined): string[] {
  const { type = "", labels = {} } = resource ?? {};
  const expected = RESOURCES[type];
  if (expected === undefined) return [`.resource: there is no type "${type}"`];
  const given = Object.keys(labels).sort().join();
  return given === [...expected].sort().join() ? [] : [`.resource: a ${type} has not the labels ${given}`];
}
