import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";

/** Clusters that the routes of a configuration name; those that a header chooses are not known before. */
export function* clusterNames({ virtualHosts }: RouteConfiguration): Iterable<string> {
  for (const { routes } of virtualHosts) {
    for (const { action } of routes) {
      if (action.case !== "route") continue;
      const { clusterSpecifier } = action.value;
      if (clusterSpecifier.case === "cluster") yield clusterSpecifier.value;
      if (clusterSpecifier.case === "weightedClusters")
        for (const { name } of clusterSpecifier.value.clusters) yield name;
    }
  }
}
