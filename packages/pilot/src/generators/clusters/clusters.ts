import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { Service } from "../../model/service.ts";
import type { Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { inboundClusters } from "./inbound-clusters.ts";
import { outboundClusters } from "./outbound-clusters.ts";
import { specialClusters } from "./special-clusters.ts";

/** Every cluster of a proxy. The first of two with one name stays. */
export function generateClusters(input: GeneratorInput): Generated<Cluster>[] {
  const { proxy, push } = input;
  const clusters: Generated<Cluster>[] = [];
  if (proxy.type === "router") {
    clusters.push(...outboundClusters(input, visibleServices(input)), ...specialClusters().slice(0, 1));
  } else {
    const scope = push.sidecarScope(proxy);
    clusters.push(...outboundClusters(input, scope.services), ...specialClusters(), ...inboundClusters(input, scope));
  }
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
