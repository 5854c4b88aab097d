import { clone } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { parseOutboundClusterName, sniClusterName } from "../names.ts";
import { plainSocket } from "../tls/transport-sockets.ts";

/**
 * The clusters behind servers in AUTO_PASSTHROUGH, named as mesh clients ask for them: those of the services, without
 * TLS of their own, because the client's goes through to the end [control-plane §7.7].
 */
export function sniClusters(input: GeneratorInput, outbound: readonly Generated<Cluster>[]): Generated<Cluster>[] {
  const wanted = input.push
    .gateways(input.proxy)
    .some(({ servers }) => servers.some(({ tls }) => tls?.mode === "AUTO_PASSTHROUGH"));
  if (!wanted) return [];
  return outbound.flatMap(({ message, provenance }) => {
    const parsed = parseOutboundClusterName(message.name);
    if (parsed === null) return [];
    const name = sniClusterName(parsed.host, parsed.port, parsed.subset);
    const cluster = clone(ClusterSchema, message);
    cluster.name = name;
    cluster.altStatName = `${name};`;
    cluster.transportSocketMatches = [];
    cluster.transportSocket = plainSocket();
    return [{ name, message: cluster, provenance }];
  });
}
