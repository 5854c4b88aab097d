import { create } from "@bufbuild/protobuf";
import { type Filter, FilterSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { TcpProxySchema } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import type { GeneratorInput } from "../generator-input.ts";
import { typed } from "../proto.ts";
import { hasNativeTelemetry, type ListenerClass, statsFilter } from "../telemetry-filters.ts";
import { accessLogs } from "./access-logs.ts";

/** The network filters of a TCP chain to one cluster: metrics right before the proxy itself. */
export function tcpFilters(input: GeneratorInput, listenerClass: ListenerClass, cluster: string): Filter[] {
  const proxy = typed(TcpProxySchema, {
    statPrefix: cluster,
    clusterSpecifier: { case: "cluster", value: cluster },
    accessLog: accessLogs(input),
  });
  const filters = [
    ...(hasNativeTelemetry(input) ? [statsFilter(listenerClass)] : []),
    { name: "envoy.filters.network.tcp_proxy", config: proxy },
  ];
  return filters.map(({ name, config }) =>
    create(FilterSchema, { name, configType: { case: "typedConfig", value: config } }),
  );
}
