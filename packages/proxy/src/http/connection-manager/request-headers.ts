import type { ConnectionInfo, SocketAddress } from "../../transport/transport.ts";
import { EnvoyHeader } from "../envoy-header-name.ts";
import type { HeaderMap } from "../header-map.ts";
import { H, HeaderName } from "../header-name.ts";
import { contains, forwardedAddress } from "./client-address.ts";
import { applyClientCertificate } from "./client-certificate.ts";
import type { RequestHeaderOptions } from "./manager-config.ts";

/** Only the mesh itself may set these; removed from requests that come from elsewhere. */
const INTERNAL_ONLY: readonly HeaderName[] = [
  EnvoyHeader.retriableStatusCodes,
  EnvoyHeader.retriableHeaderNames,
  EnvoyHeader.retryOn,
  EnvoyHeader.retryGrpcOn,
  EnvoyHeader.maxRetries,
  HeaderName.of("x-envoy-upstream-alt-stat-name"),
  EnvoyHeader.upstreamRqTimeoutMs,
  EnvoyHeader.upstreamRqPerTryTimeoutMs,
  HeaderName.of("x-envoy-upstream-rq-timeout-alt-response"),
  H.xEnvoyExpectedRqTimeoutMs,
  HeaderName.of("x-envoy-force-trace"),
  HeaderName.of("x-envoy-ip-tags"),
  HeaderName.of("x-envoy-original-url"),
  HeaderName.of("x-envoy-hedge-on-per-try-timeout"),
];

/** Removed at the edge only: proxies behind it may pass them on. */
const EDGE_ONLY: readonly HeaderName[] = [
  H.xEnvoyDecoratorOperation,
  HeaderName.of("x-envoy-downstream-service-cluster"),
  HeaderName.of("x-envoy-downstream-service-node"),
  H.xEnvoyOriginalPath,
  EnvoyHeader.originalHost,
];

/** What the headers told about the client. */
export interface ClientFacts {
  readonly remoteAddress: SocketAddress;
  readonly internal: boolean;
}

/**
 * Brings the headers of a request into the form in which filters and the upstream see them, in Envoy's order:
 * forwarding headers, sanitizing, via, request id, client certificate.
 */
export function prepareRequestHeaders(
  headers: HeaderMap,
  connection: ConnectionInfo,
  options: RequestHeaderOptions,
  internalOnly: readonly HeaderName[],
  uuid: () => string,
): ClientFacts {
  headers.remove(EnvoyHeader.internal);
  const scheme = connection.tls === null ? "http" : "https";
  const client = options.useRemoteAddress
    ? edgeClient(headers, connection, options, scheme)
    : forwardedClient(headers, connection, options);
  if (!headers.has(H.xForwardedProto)) headers.set(H.xForwardedProto, scheme);
  if (options.appendXForwardedPort && !headers.has(H.xForwardedPort)) {
    headers.set(H.xForwardedPort, String(connection.localAddress.port));
  }
  setScheme(headers, scheme);
  sanitize(headers, client.internal, options.useRemoteAddress && !client.internal, internalOnly);
  if (options.via !== "") headers.add(EnvoyHeader.via, options.via);
  const edge = options.useRemoteAddress && !client.internal;
  if (edge) headers.set(EnvoyHeader.externalAddress, client.remoteAddress.ip);
  setRequestId(headers, edge, options, uuid);
  applyClientCertificate(headers, connection.tls, options.clientCertificate);
  return client;
}

/** What the first proxy was asked by goes before this hop's TLS; a target that names another scheme stays as it is. */
function setScheme(headers: HeaderMap, scheme: string): void {
  if (headers.has(H.scheme) && !headers.valueEquals(H.scheme, scheme)) return;
  const proto = headers.get(H.xForwardedProto);
  const asked = proto === "http" || proto === "https" ? proto : scheme;
  if (!headers.valueEquals(H.scheme, asked)) headers.set(H.scheme, asked);
}

/** This proxy is the first that is trusted: the client is its peer, and `x-forwarded-for` grows by it. */
function edgeClient(
  headers: HeaderMap,
  connection: ConnectionInfo,
  options: RequestHeaderOptions,
  scheme: string,
): ClientFacts {
  const before = headers.get(H.xForwardedFor);
  const trusted = options.trustedHops > 0 && before !== null ? forwardedAddress(before, options.trustedHops - 1) : null;
  const remoteAddress = trusted?.address ?? connection.remoteAddress;
  if (!options.skipXffAppend) {
    const own = connection.remoteAddress.ip;
    headers.set(H.xForwardedFor, before === null ? own : `${before},${own}`);
  }
  if (options.trustedHops === 0 || !headers.has(H.xForwardedProto)) headers.set(H.xForwardedProto, scheme);
  if (options.appendXForwardedPort && (options.trustedHops === 0 || !headers.has(H.xForwardedPort))) {
    headers.set(H.xForwardedPort, String(connection.localAddress.port));
  }
  return { remoteAddress, internal: before === null && isInternal(remoteAddress, options) };
}

/** A proxy in front already wrote who asks. */
function forwardedClient(headers: HeaderMap, connection: ConnectionInfo, options: RequestHeaderOptions): ClientFacts {
  const header = headers.get(H.xForwardedFor);
  const found = header === null ? null : forwardedAddress(header, options.trustedHops);
  if (found === null) return { remoteAddress: connection.remoteAddress, internal: false };
  return { remoteAddress: found.address, internal: found.single && isInternal(found.address, options) };
}

function isInternal(address: SocketAddress, options: RequestHeaderOptions): boolean {
  for (const network of options.internalNetworks) if (contains(network, address.ip)) return true;
  return false;
}

function sanitize(headers: HeaderMap, internal: boolean, edge: boolean, internalOnly: readonly HeaderName[]): void {
  if (internal) {
    headers.set(EnvoyHeader.internal, "true");
    return;
  }
  if (edge) for (const name of EDGE_ONLY) headers.remove(name);
  for (const name of INTERNAL_ONLY) headers.remove(name);
  for (const name of internalOnly) headers.remove(name);
}

/** An id from outside is replaced at the edge, so that nobody outside can join traces of the mesh. */
function setRequestId(headers: HeaderMap, edge: boolean, options: RequestHeaderOptions, uuid: () => string): void {
  if (!options.generateRequestId) return;
  const replace = edge && !options.preserveExternalRequestId;
  if (replace || !headers.has(H.xRequestId)) headers.set(H.xRequestId, uuid());
}

/** `authority` without its port (`any`, or only the listener's own) and without a trailing dot, as configured. */
export function strippedAuthority(authority: string, options: RequestHeaderOptions, localPort: number): string {
  let host = authority;
  let port = "";
  const colon = host.startsWith("[") ? host.indexOf("]:") + 1 : host.indexOf(":");
  if (colon > 0) {
    port = host.slice(colon);
    host = host.slice(0, colon);
  }
  if (options.stripTrailingDot && host.endsWith(".")) host = host.slice(0, -1);
  if (options.stripPort === "any" || (options.stripPort === "matching" && port === `:${localPort}`)) port = "";
  return host + port;
}
