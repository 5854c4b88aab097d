import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { Service } from "../../model/service.ts";
import type { Generated } from "../generated.ts";
import { type GeneratorInput, identityOf, shared } from "../generator-input.ts";
import { inboundClusters } from "./inbound-clusters.ts";
import { outboundClusters } from "./outbound-clusters.ts";
import { sniClusters } from "./sni-clusters.ts";
import { specialClusters } from "./special-clusters.ts";

/** Every cluster of a proxy. The first of two with one name stays. */
export function generateClusters(input: GeneratorInput): readonly Generated<Cluster>[] {
  const { proxy, push } = input;
  if (proxy.type === "router") {
    const outbound = shared(
      input,
      () => "clusters of routers",
      () => distinct([...outboundClusters(input, visibleServices(input)), ...specialClusters().slice(0, 1)]),
    );
    const sni = sniClusters(input, outbound);
    return sni.length === 0 ? outbound : distinct([...outbound, ...sni]);
  }
  const scope = push.sidecarScope(proxy);
  // The same list for all who see the same services, so that it is compared and encoded as one.
  const outbound = shared(
    input,
    () => `clusters ${identityOf(input, scope)}`,
    () => distinct([...outboundClusters(input, scope.services), ...specialClusters()]),
  );
  const inbound = inboundClusters(input, scope);
  return inbound.length === 0 ? outbound : distinct([...outbound, ...inbound]);
}

function distinct(clusters: readonly Generated<Cluster>[]): readonly Generated<Cluster>[] {
  const byName = new Map<string, Generated<Cluster>>();
  for (const cluster of clusters) if (!byName.has(cluster.name)) byName.set(cluster.name, cluster);
  return [...byName.values()];
}

/** A gateway may route to every service that is visible to its namespace. */
function visibleServices({ push, proxy }: GeneratorInput): Service[] {
  return push.services.filter(
    ({ visibility }) => visibility === "public" || (visibility !== "none" && visibility.has(proxy.namespace)),
  );
}
