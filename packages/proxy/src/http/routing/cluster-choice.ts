import type { Clock } from "@mixerless/clock";
import type { RouteAction, WeightedCluster } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { RouteFacts } from "../../stream/stream-info.ts";
import type { HeaderMap } from "../header-map.ts";
import { HeaderName } from "../header-name.ts";
import { compileFilterConfigs, type RouteConfigCompilers, type RouteFilterConfigs } from "./filter-configs.ts";
import { compileHeaderMutations } from "./header-mutations.ts";
import type { LevelStack } from "./level-stack.ts";
import type { ForwardAction } from "./route-action.ts";
import { RouteEntry } from "./route-entry.ts";

/** Picks the entry of a matched route for one request. `random` is uniform in [0, 1). */
export type EntryChoice = (headers: HeaderMap, random: () => number) => RouteEntry;

/** What the entries of one route have in common. */
export interface EntryParts {
  readonly facts: RouteFacts;
  readonly action: ForwardAction;
  readonly levels: LevelStack;
  readonly filterConfigs: RouteFilterConfigs;
}

/** Compiles the cluster specifier of a route: one cluster, a header that names it, or a weighted list. */
export function compileClusterChoice(
  action: RouteAction,
  parts: EntryParts,
  clock: Clock,
  compilers: RouteConfigCompilers,
  path: string,
  faults: ConfigFault[],
): EntryChoice {
  const specifier = action.clusterSpecifier;
  const plain = (cluster: string) =>
    new RouteEntry(parts.facts, parts.action, cluster, parts.levels.ordered(), parts.filterConfigs);
  switch (specifier.case) {
    case "cluster": {
      if (specifier.value === "") faults.push({ path: `${path}.cluster`, message: "a cluster name is needed" });
      const entry = plain(specifier.value);
      return () => entry;
    }
    case "clusterHeader": {
      const name = HeaderName.of(specifier.value);
      const entry = plain("");
      return (headers) => entry.withCluster(headers.get(name) ?? "");
    }
    case "weightedClusters":
      return compileWeighted(specifier.value, parts, clock, compilers, `${path}.weightedClusters`, faults);
    default: {
      faults.push({ path, message: `a cluster specifier of kind ${specifier.case ?? "(empty)"} is not supported` });
      const entry = plain("");
      return () => entry;
    }
  }
}

function compileWeighted(
  config: WeightedCluster,
  parts: EntryParts,
  clock: Clock,
  compilers: RouteConfigCompilers,
  path: string,
  faults: ConfigFault[],
): EntryChoice {
  const entries: RouteEntry[] = [];
  const headerNames: (HeaderName | null)[] = [];
  const bounds: number[] = [];
  let total = 0;
  for (const [i, cluster] of config.clusters.entries()) {
    const at = `${path}.clusters[${i}]`;
    if (cluster.metadataMatch !== undefined) faults.push({ path: `${at}.metadataMatch`, message: "is not supported" });
    if ((cluster.name === "") === (cluster.clusterHeader === "")) {
      faults.push({ path: at, message: "either name or clusterHeader is needed" });
    }
    const request = compileHeaderMutations(
      cluster.requestHeadersToAdd,
      cluster.requestHeadersToRemove,
      clock,
      `${at}.request`,
      faults,
    );
    const response = compileHeaderMutations(
      cluster.responseHeadersToAdd,
      cluster.responseHeadersToRemove,
      clock,
      `${at}.response`,
      faults,
    );
    const levels = parts.levels.narrower(request, response);
    const filterConfigs = compileFilterConfigs(
      parts.filterConfigs,
      cluster.typedPerFilterConfig,
      compilers,
      at,
      faults,
    );
    const host = cluster.hostRewriteSpecifier.case === "hostRewriteLiteral" ? cluster.hostRewriteSpecifier.value : "";
    entries.push(new RouteEntry(parts.facts, parts.action, cluster.name, levels.ordered(), filterConfigs, host));
    headerNames.push(cluster.clusterHeader === "" ? null : HeaderName.of(cluster.clusterHeader));
    total += cluster.weight ?? 0;
    bounds.push(total);
  }
  if (config.randomValueSpecifier.case !== undefined)
    faults.push({ path: `${path}.headerName`, message: "is not supported" });
  if (total === 0) faults.push({ path, message: "the weights must not all be 0" });
  return (headers, random) => {
    const at = random() * total;
    let i = 0;
    while (i < entries.length - 1 && at >= (bounds[i] ?? 0)) i++;
    const name = headerNames[i] ?? null;
    const entry = entries[i] as RouteEntry;
    return name === null ? entry : entry.withCluster(headers.get(name) ?? "");
  };
}
