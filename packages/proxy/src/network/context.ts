import type { Clock, DeadlineWheel } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import type { AccessLogSinks } from "../access-log/sink.ts";
import type { StreamExpressions } from "../expression/stream-expressions.ts";
import type { ExtensionHost } from "../extension-host/extension-host.ts";
import type { ServerConnectionFactory } from "../http/connection-manager/codec-options.ts";
import type { RouteProvider } from "../http/routing/route-provider.ts";
import type { ListenerFacts } from "../stream/stream-info.ts";
import type { ClusterManager } from "../upstream/cluster.ts";
import type { DiscoveredConfigs } from "./discovered-config.ts";

/** What the filters of one filter chain may use of the proxy around them. One object per chain. */
export interface FilterChainContext {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly clusters: ClusterManager;
  readonly routes: RouteProvider;
  /** Configurations of filters that come apart from the chain. */
  readonly filterConfigs: DiscoveredConfigs;
  /** Listener and filter chain that the filters belong to. */
  readonly listener: ListenerFacts;
  readonly accessLogs: AccessLogSinks;
  /** Takes the proxy's own series, by Envoy's names. */
  readonly metrics: MetricStore;
  readonly extensions: ExtensionHost;
  readonly expressions: StreamExpressions;
  readonly createServerConnection: ServerConnectionFactory;
  /** Most bytes that are kept of one message, `per_connection_buffer_limit_bytes`; null: 1 MiB, 0: no limit. */
  readonly bufferLimit: number | null;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** A fresh RFC 9562 version 4 UUID. */
  readonly uuid: () => string;
}
