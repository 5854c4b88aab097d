import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Filter, FilterSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { TcpProxySchema } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import { dynamicSniFilter } from "../dynamic-dns.ts";
import { networkPluginFilters, type PluginPhase, type TrafficPlace } from "../extensions/plugin-filters.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { duration, typed } from "../proto.ts";
import { tcpAuthorization } from "../security/authorization-filters.ts";
import { hasOwnFilters, type NamedFilter, statsFilters, tcpExchangeFilter } from "../telemetry-filters.ts";
import { accessLogs } from "./access-logs.ts";

/** Where a TCP chain leads. */
export interface TcpTarget {
  readonly statPrefix: string;
  /** At least one; weights count among several only. */
  readonly clusters: readonly { readonly name: string; readonly weight: number }[];
  /** Milliseconds; 0: no limit. */
  readonly idleTimeout?: number;
  readonly hashSourceIp?: boolean;
  /** The server name that the client asks for is looked up, and connected to on this port. */
  readonly dynamicPort?: number;
  /** Clients are asked who they are. */
  readonly exchange?: boolean;
}

/** The network filters of a TCP chain: who the client is, who may connect, then metrics right before the proxy itself. */
export function tcpFilters(input: GeneratorInput, place: TrafficPlace, target: TcpTarget): Filter[] {
  const { listenerClass } = place;
  const { statPrefix, clusters, idleTimeout, hashSourceIp = false, exchange = false, dynamicPort } = target;
  const [first] = clusters;
  const proxy = typed(TcpProxySchema, {
    statPrefix,
    clusterSpecifier:
      clusters.length === 1 && first !== undefined
        ? { case: "cluster", value: first.name }
        : { case: "weightedClusters", value: { clusters: clusters.map((entry) => ({ ...entry })) } },
    ...(idleTimeout === undefined ? {} : { idleTimeout: duration(idleTimeout) }),
    hashPolicy: hashSourceIp ? [{ policySpecifier: { case: "sourceIp", value: {} } }] : [],
    accessLog: accessLogs(input, listenerClass),
  });
  const plugins = networkPluginFilters(input, place);
  const plugged = (phase: PluginPhase) => plugins.get(phase) ?? [];
  const filters: MessageInitShape<typeof FilterSchema>[] = [
    ...inline(exchange && hasOwnFilters(input) ? [tcpExchangeFilter()] : []),
    ...plugged("AUTHN"),
    ...plugged("AUTHZ"),
    ...inline(tcpAuthorization(input, listenerClass)),
    ...plugged("STATS"),
    ...plugged("UNSPECIFIED_PHASE"),
    ...inline([
      ...statsFilters(input, listenerClass, "network"),
      ...(dynamicPort === undefined ? [] : [dynamicSniFilter(input, dynamicPort)]),
      { name: "envoy.filters.network.tcp_proxy", config: proxy },
    ]),
  ];
  return filters.map((filter) => create(FilterSchema, filter));
}

function inline(filters: readonly NamedFilter[]): MessageInitShape<typeof FilterSchema>[] {
  return filters.map(({ name, config }) => ({ name, configType: { case: "typedConfig", value: config } }));
}

/** Plugins on connections in front of what reads their requests [control-plane §3.2]. */
export function filtersBeforeHttp(input: GeneratorInput, place: TrafficPlace): Filter[] {
  const plugins = networkPluginFilters(input, place);
  return PHASES.flatMap((phase) => plugins.get(phase) ?? []).map((filter) => create(FilterSchema, filter));
}

const PHASES: readonly PluginPhase[] = ["AUTHN", "AUTHZ", "STATS", "UNSPECIFIED_PHASE"];
