import { H } from "../../../http/header-name.ts";
import type { StreamInfo } from "../../../stream/stream-info.ts";
import type { SocketAddress } from "../../../transport/transport.ts";
import { type Operator, type OperatorFactory, type OperatorTable, plain } from "../operator.ts";

type Address = (info: StreamInfo) => SocketAddress | null;

const upstreamLocal: Address = (info) => info.upstreamConnection?.localAddress ?? null;
const upstreamRemote: Address = (info) => info.upstreamHost?.address ?? null;
const downstreamLocal: Address = (info) => info.downstream.localAddress;
const downstreamRemote: Address = (info) => info.remoteAddress;
const downstreamDirectRemote: Address = (info) => info.downstream.remoteAddress;

/** The way that the stream took: route, cluster, host, addresses, connections. */
export const ROUTING_OPERATORS: OperatorTable = {
  ROUTE_NAME: plain((info) => info.route?.name || null),
  VIRTUAL_HOST_NAME: plain((info) => info.route?.virtualHost || null),
  VIRTUAL_CLUSTER_NAME: plain(() => null),
  FILTER_CHAIN_NAME: plain((info) => info.listener.filterChainName || null),
  UPSTREAM_CLUSTER: plain((info) => info.cluster?.name ?? null),
  UPSTREAM_CLUSTER_RAW: plain((info) => info.cluster?.name ?? null),
  UPSTREAM_HOST: plain((info) => info.upstreamHost?.address.text ?? null),
  UPSTREAM_HOST_NAME: plain((info) => info.upstreamHost?.hostname || info.upstreamHost?.address.text || null),
  UPSTREAM_HOST_NAME_WITHOUT_PORT: plain(
    (info) => info.upstreamHost?.hostname || info.upstreamHost?.address.ip || null,
  ),
  CONNECTION_ID: plain((info) => info.downstream.id),
  UPSTREAM_CONNECTION_ID: plain((info) => info.upstreamConnection?.id ?? null),
  STREAM_ID: plain((info) => info.requestHeaders?.get(H.xRequestId) ?? null),
  REQUESTED_SERVER_NAME: requestedServerName,
  ...addresses("UPSTREAM_LOCAL", upstreamLocal),
  ...addresses("UPSTREAM_REMOTE", upstreamRemote),
  ...addresses("DOWNSTREAM_LOCAL", downstreamLocal),
  ...addresses("DOWNSTREAM_DIRECT_LOCAL", downstreamLocal),
  ...addresses("DOWNSTREAM_REMOTE", downstreamRemote),
  ...addresses("DOWNSTREAM_DIRECT_REMOTE", downstreamDirectRemote),
};

function addresses(prefix: string, address: Address): OperatorTable {
  return {
    [`${prefix}_ADDRESS`]: plain((info) => address(info)?.text ?? null),
    [`${prefix}_ADDRESS_WITHOUT_PORT`]: withoutPort(address),
    [`${prefix}_PORT`]: plain((info) => address(info)?.port ?? null),
  };
}

/** With a number of bits the network in CIDR form; for IPv4 only. */
function withoutPort(address: Address): OperatorFactory {
  return (args): Operator | string => {
    if (args === null || args === "") return (info) => address(info)?.ip ?? null;
    const bits = Number(args);
    if (!Number.isInteger(bits) || bits < 0 || bits > 32) return "takes a prefix length of 0 to 32";
    return (info) => {
      const parts = address(info)?.ip.split(".").map(Number);
      if (parts?.length !== 4) return null;
      const masked = parts.map((part, i) => part & (0xff00 >> Math.min(Math.max(bits - 8 * i, 0), 8)) & 0xff);
      return `${masked.join(".")}/${bits}`;
    };
  };
}

function requestedServerName(args: string | null): Operator | string {
  const [order = "SNI_ONLY"] = (args ?? "").split(":").map((part) => part || undefined);
  const host = (info: StreamInfo) => info.requestHeaders?.get(H.authority) ?? null;
  const sni = (info: StreamInfo) => info.downstream.requestedServerName || null;
  if (order === "SNI_ONLY") return sni;
  if (order === "SNI_FIRST") return (info) => sni(info) ?? host(info);
  if (order === "HOST_FIRST") return (info) => host(info) ?? sni(info);
  return "takes SNI_ONLY, SNI_FIRST or HOST_FIRST";
}
