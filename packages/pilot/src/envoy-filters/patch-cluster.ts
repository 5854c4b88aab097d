import { type Cluster, ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { parseClusterName } from "../generators/names.ts";
import { mergeMessages } from "./merge-messages.ts";
import { type Miss, missed, type Patch, type Patching, patchValue } from "./patch.ts";
import { mergeSocket } from "./transport-socket.ts";

/** Patches one cluster in place; false when it is to be removed. `hosts`: the services behind an inbound cluster. */
export function patchCluster({ context, patches, log }: Patching, cluster: Cluster, hosts: readonly string[]): boolean {
  for (const patch of patches.of("CLUSTER", context)) {
    if (patch.operation !== "REMOVE" && patch.operation !== "MERGE") continue;
    const miss = missOfCluster(patch, cluster, hosts);
    if (miss !== null) {
      log.miss(patch, miss);
      continue;
    }
    if (patch.operation === "REMOVE") {
      log.hit(patch, `cluster ${cluster.name}`);
      return false;
    }
    const problem = mergeCluster(cluster, patch);
    if (problem === null) log.hit(patch, `cluster ${cluster.name}`);
    else log.problem(patch, `cluster ${cluster.name}: ${problem}`);
  }
  return true;
}

/** Null when the cluster is one that the patch means [control-plane §1.5]. */
export function missOfCluster(
  { match }: Patch,
  { name }: Pick<Cluster, "name">,
  hosts: readonly string[],
): Miss | null {
  const wanted = match.cluster;
  if (wanted === undefined) return null;
  if (wanted.name !== "")
    return wanted.name === name ? null : missed(0, () => `cluster ${name} is not named ${wanted.name}`);
  const { service, subset, portNumber = 0 } = wanted;
  if (service === "" && subset === "" && portNumber === 0) return null;
  const parsed = parseClusterName(name);
  if (parsed === null) return missed(0, () => `cluster ${name} can be matched by its name only`);
  const known = parsed.host === "" ? hosts : [parsed.host];
  if (service !== "" && !known.includes(service))
    return missed(1, () => `cluster ${name} is of ${known.join(", ") || "no service"}, not of ${service}`);
  if (portNumber !== 0 && portNumber !== parsed.port)
    return missed(2, () => `cluster ${name} is of port ${parsed.port}, not ${portNumber}`);
  if (subset !== "" && subset !== parsed.subset)
    return missed(3, () => `cluster ${name} is of ${parsed.subset ? `subset ${parsed.subset}` : "no subset"}`);
  return null;
}

/** A patch that brings a transport socket changes nothing else, as upstream [control-plane §1.8]. */
function mergeCluster(cluster: Cluster, patch: Patch): string | null {
  const value = patchValue(patch, ClusterSchema);
  if (value === undefined) return null;
  const socket = value.transportSocket;
  if (socket === undefined) {
    mergeMessages(ClusterSchema, cluster, value);
    return null;
  }
  if (cluster.transportSocketMatches.length > 0) {
    const entry = cluster.transportSocketMatches.find(({ transportSocket }) => transportSocket?.name === socket.name);
    if (entry?.transportSocket === undefined) return `none of its transport_socket_matches has a socket ${socket.name}`;
    return mergeSocket(entry.transportSocket, socket);
  }
  if (cluster.transportSocket?.name === socket.name) return mergeSocket(cluster.transportSocket, socket);
  cluster.transportSocket = socket;
  return null;
}
