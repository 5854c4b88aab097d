import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { HttpProtocolOptionsSchema } from "@mixerless/wire/envoy/extensions/upstreams/http/v3/http_protocol_options";
import type { ConnectionPoolSettings } from "../../config/kinds/destination-rule.ts";
import type { MeshConfigSpec } from "../../config/kinds/mesh-config.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { ProxyNode } from "../../model/proxy-node.ts";
import { duration, typed } from "../proto.ts";

const KEY = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
/** Envoy's own default, which istiod writes out. */
const MAX_CONCURRENT_STREAMS = 1_073_741_824;
const HTTP2: ReadonlySet<Protocol> = new Set(["HTTP2", "GRPC", "GRPC-Web"]);

/** What decides how a cluster speaks HTTP. */
export interface UpstreamProtocol {
  readonly protocol: Protocol;
  readonly mesh: MeshConfigSpec;
  /** Plain HTTP becomes HTTP/2 where policies ask for it: on the way to a service, not to the own application. */
  readonly mayUpgrade: boolean;
  /** Whether the data plane can do more than HTTP/1.1; one that cannot is not told of it. */
  readonly hasHttp2: boolean;
}

/** The embedded data plane speaks HTTP/1.1 only, and would refuse a cluster that asks for more. */
export function hasHttp2({ userAgentName }: ProxyNode): boolean {
  return userAgentName !== "mixerless";
}

/** Limits of connections, and the protocol that the upstream is spoken to in [control-plane §4.7, §7.5]. */
export function applyProtocolOptions(
  cluster: Cluster,
  pool: ConnectionPoolSettings | undefined,
  upstream: UpstreamProtocol,
): void {
  const common = commonOptions(pool);
  const chosen = upstream.hasHttp2 ? upstreamProtocol(pool, upstream) : undefined;
  if (common === undefined && chosen === undefined) return;
  cluster.typedExtensionProtocolOptions[KEY] = typed(HttpProtocolOptionsSchema, {
    ...(common === undefined ? {} : { commonHttpProtocolOptions: common }),
    // Envoy wants one of its kinds beside the limits.
    upstreamProtocolOptions: chosen ?? HTTP1,
  });
}

type Chosen = NonNullable<MessageInitShape<typeof HttpProtocolOptionsSchema>["upstreamProtocolOptions"]>;

const HTTP1: Chosen = {
  case: "explicitHttpConfig",
  value: { protocolConfig: { case: "httpProtocolOptions", value: {} } },
};

/** Undefined: HTTP/1.1, or no HTTP at all. */
function upstreamProtocol(pool: ConnectionPoolSettings | undefined, upstream: UpstreamProtocol): Chosen | undefined {
  const http2 = { maxConcurrentStreams: pool?.http?.maxConcurrentStreams ?? MAX_CONCURRENT_STREAMS };
  if (HTTP2.has(upstream.protocol) || isUpgraded(pool, upstream))
    return {
      case: "explicitHttpConfig",
      value: { protocolConfig: { case: "http2ProtocolOptions", value: http2 } },
    };
  if (upstream.protocol !== "auto" && pool?.http?.useClientProtocol !== true) return undefined;
  return {
    case: "useDownstreamProtocolConfig",
    value: { httpProtocolOptions: {}, http2ProtocolOptions: http2 },
  };
}

function isUpgraded(
  pool: ConnectionPoolSettings | undefined,
  { protocol, mesh, mayUpgrade }: UpstreamProtocol,
): boolean {
  if (protocol !== "HTTP" || !mayUpgrade) return false;
  const own = pool?.http?.h2UpgradePolicy ?? "DEFAULT";
  return (own === "DEFAULT" ? mesh.h2UpgradePolicy : own) === "UPGRADE" && pool?.http?.useClientProtocol !== true;
}

function commonOptions(pool: ConnectionPoolSettings | undefined) {
  const http = pool?.http;
  const maxDuration = pool?.tcp?.maxConnectionDuration;
  const options: NonNullable<MessageInitShape<typeof HttpProtocolOptionsSchema>["commonHttpProtocolOptions"]> = {
    ...(http?.idleTimeout === undefined ? {} : { idleTimeout: duration(http.idleTimeout) }),
    ...(http?.maxRequestsPerConnection === undefined || http.maxRequestsPerConnection === 0
      ? {}
      : { maxRequestsPerConnection: http.maxRequestsPerConnection }),
    ...(maxDuration === undefined ? {} : { maxConnectionDuration: duration(maxDuration) }),
  };
  return Object.keys(options).length === 0 ? undefined : options;
}
