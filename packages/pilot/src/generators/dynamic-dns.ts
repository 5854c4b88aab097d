import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
} from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { ClusterConfigSchema } from "@mixerless/wire/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster";
import type { DnsCacheConfigSchema } from "@mixerless/wire/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache";
import { FilterConfigSchema as HttpFilterSchema } from "@mixerless/wire/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy";
import { FilterConfigSchema as SniFilterSchema } from "@mixerless/wire/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy";
import type { Service } from "../model/service.ts";
import type { GeneratorInput } from "./generator-input.ts";
import { duration, typed } from "./proto.ts";
import type { NamedFilter } from "./telemetry-filters.ts";

/**
 * Whether the name that each request or connection asks for is looked up (ServiceEntry DYNAMIC_DNS) [control-plane
 * §4.7]. The embedded data plane cannot, and would refuse whole listeners for the filter, so it gets nothing of it.
 */
export function isDynamic({ proxy }: GeneratorInput, { resolution }: Service): boolean {
  return resolution === "dynamic-dns" && proxy.userAgentName !== "mixerless";
}

/** The cluster takes its endpoints from the cache that the filters fill. */
export function applyDynamicDiscovery(cluster: Cluster, input: GeneratorInput): void {
  cluster.clusterDiscoveryType = {
    case: "clusterType",
    value: {
      $typeName: "envoy.config.cluster.v3.Cluster.CustomClusterType",
      name: "envoy.clusters.dynamic_forward_proxy",
      typedConfig: typed(ClusterConfigSchema, {
        clusterImplementationSpecifier: { case: "dnsCacheConfig", value: cache(input) },
        // TLS is as the DestinationRule says, which may name one server for all.
        allowInsecureClusterOptions: true,
      }),
    },
  };
}

/** The name decides on the endpoint; no policy may. */
export function leaveChoiceToCluster(cluster: Cluster): void {
  cluster.lbPolicy = Cluster_LbPolicy.CLUSTER_PROVIDED;
  cluster.lbConfig = { case: undefined };
}

/** Looks up the authority of requests whose route leads to such a cluster; right before the router. */
export function dynamicHttpFilter(input: GeneratorInput): NamedFilter {
  const config = typed(HttpFilterSchema, { implementationSpecifier: { case: "dnsCacheConfig", value: cache(input) } });
  return { name: "envoy.filters.http.dynamic_forward_proxy", config };
}

/** Looks up the server name that a TLS client asks for. */
export function dynamicSniFilter(input: GeneratorInput, port: number): NamedFilter {
  const config = typed(SniFilterSchema, {
    dnsCacheConfig: cache(input),
    portSpecifier: { case: "portValue", value: port },
  });
  return { name: "envoy.filters.network.sni_dynamic_forward_proxy", config };
}

/** One for all: Envoy wants everyone who names a cache to describe it alike. */
function cache({ push }: GeneratorInput): MessageInitShape<typeof DnsCacheConfigSchema> {
  return {
    name: "dynamic_dns",
    dnsLookupFamily: Cluster_DnsLookupFamily.V4_ONLY,
    dnsRefreshRate: duration(push.mesh.dnsRefreshRate),
  };
}
