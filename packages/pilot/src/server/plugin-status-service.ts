import type { Clock } from "@mixerless/clock";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import { type PluginStatusReport, PluginStatusService } from "@mixerless/wire/mixerless/status/v1/plugin_status";
import {
  createGrpcService,
  DiscoveryCall,
  type GrpcService,
  type OpenStream,
  type PeerIdentity,
  type RefusedStream,
  StatusCode,
  type XdsServerOptions,
} from "@mixerless/xds";
import { nodeMismatch } from "../authority/identified-source.ts";
import { parseProxyNode } from "../model/parse-proxy-node.ts";
import type { PluginStatuses } from "./plugin-statuses.ts";

export interface PluginStatusServiceOptions {
  readonly statuses: PluginStatuses;
  readonly clock: Clock;
  /** As for configuration; left out, everybody is who he says. */
  readonly authenticate: XdsServerOptions["authenticate"];
  /** Streams at a time. */
  readonly maxStreams?: number;
}

/** Milliseconds for authentication and for the first report. */
const OPENING_TIMEOUT = 10_000;
const MAX_STREAMS = 10_000;

/** Takes what proxies tell of their plugins. `secure`: it is served by TLS. */
export function createPluginStatusService(options: PluginStatusServiceOptions): (secure: boolean) => GrpcService {
  const { statuses, clock, authenticate, maxStreams = MAX_STREAMS } = options;
  let streams = 0;
  const open = (
    node: Node,
    identity: PeerIdentity | null,
    acknowledge: () => void,
  ): OpenStream<PluginStatusReport> | RefusedStream => {
    const proxy = parseProxyNode(node);
    if (typeof proxy === "string") return { code: StatusCode.invalidArgument, message: proxy };
    const mismatch = nodeMismatch(node, identity?.names ?? null);
    if (mismatch !== null) return { code: StatusCode.unauthenticated, message: mismatch };
    if (streams >= maxStreams)
      return { code: StatusCode.resourceExhausted, message: "the server has as many streams as it takes" };
    streams++;
    const stream = {};
    return {
      onRequest: (report) => {
        statuses.take(stream, proxy.podKey, report, clock.now());
        acknowledge();
      },
      onEnd: () => {
        streams--;
        statuses.end(stream);
      },
    };
  };
  return (secure) =>
    createGrpcService(PluginStatusService, {
      reportPlugins: (call) => {
        new DiscoveryCall<PluginStatusReport, object>(call, {
          ...{ clock, secure, openingTimeout: OPENING_TIMEOUT },
          admit: () => null,
          authenticate: (peer) => authenticate?.(peer) ?? null,
          open: (node, _peer, identity, sink) => open(node, identity, () => sink.write({}, () => {})),
          onRefused: () => {},
        });
      },
    });
}
