import type { Message } from "@bufbuild/protobuf";
import { walkFields } from "@mixerless/wire";
import { type Bootstrap, BootstrapSchema } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import type { ConfigFault } from "../network/config-fault.ts";

/** The fields that hold the name of a cluster, by the type of their message. */
const CLUSTER_NAMES: Readonly<Record<string, string>> = {
  "envoy.config.route.v3.RouteAction": "cluster",
  "envoy.config.route.v3.WeightedCluster.ClusterWeight": "name",
  "envoy.config.route.v3.RouteAction.RequestMirrorPolicy": "cluster",
  "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy": "cluster",
  "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight": "name",
};

/**
 * Names of clusters that a static listener uses and that nothing defines. As Envoy, only where the clusters are
 * all in the bootstrap, and not where a route configuration says `validate_clusters: false`.
 */
export function danglingClusters(bootstrap: Bootstrap): ConfigFault[] {
  if (bootstrap.dynamicResources?.cdsConfig !== undefined) return [];
  const known = new Set(bootstrap.staticResources?.clusters.map((cluster) => cluster.name));
  const faults: ConfigFault[] = [];
  walkFields(BootstrapSchema, bootstrap, {
    field: ({ schema, field, message, value, path }) => {
      if (schema.typeName === "envoy.config.route.v3.RouteConfiguration" && unchecked(message)) return false;
      if (CLUSTER_NAMES[schema.typeName] === field.name && typeof value === "string" && !known.has(value)) {
        const message = `there is no cluster "${value}"; ${known.size === 0 ? "none is defined" : `defined are ${list(known)}`}`;
        faults.push({ path: path.toString(), message });
      }
      return true;
    },
  });
  return faults;
}

function unchecked(message: Message): boolean {
  return (message as RouteConfiguration).validateClusters === false;
}

function list(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, 5).join(", ");
  return names.size > 5 ? `${shown} and ${names.size - 5} more` : shown;
}
