import { EnvoyHeader } from "../../http/envoy-header-name.ts";
import { grpcTimeout, isGrpcRequest } from "../../http/grpc.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import { H } from "../../http/header-name.ts";
import type { ForwardAction } from "../../http/routing/route-action.ts";

/** Limits of one request, milliseconds; 0: none. */
export interface RequestTimeouts {
  /** From the end of the request to the end of the response, all attempts together. */
  readonly total: number;
  readonly perTry: number;
  /** Without a byte of the response, one attempt. */
  readonly perTryIdle: number;
  /** Of the stream to the upstream, whatever happens on it. */
  readonly stream: number;
}

/**
 * The limits by route and, from inside the mesh, by headers; tells them to the upstream in
 * `x-envoy-expected-rq-timeout-ms`. Null where nothing is limited.
 * For gRPC with `max_grpc_timeout` the client's own timeout counts; a route with `max_stream_duration` has no other limit.
 */
export function requestTimeouts(action: ForwardAction, headers: HeaderMap, stream: number): RequestTimeouts | null {
  const byStream = action.hasStreamDuration;
  const grpc = !byStream && action.maxGrpcTimeout !== null && isGrpcRequest(headers);
  let total = byStream ? 0 : grpc ? grpcLimit(action, headers) : action.timeout;
  let perTry = action.retry?.perTryTimeout ?? 0;
  const asked = headers.get(EnvoyHeader.upstreamRqTimeoutMs);
  if (asked !== null) {
    headers.remove(EnvoyHeader.upstreamRqTimeoutMs);
    total = digits(asked) ?? total;
  }
  const askedPerTry = headers.get(EnvoyHeader.upstreamRqPerTryTimeoutMs);
  if (askedPerTry !== null) {
    headers.remove(EnvoyHeader.upstreamRqPerTryTimeoutMs);
    perTry = digits(askedPerTry) ?? perTry;
  }
  if (total !== 0 && perTry >= total) perTry = 0;
  const expected = perTry > 0 ? perTry : total;
  if (expected > 0) headers.set(H.xEnvoyExpectedRqTimeoutMs, String(Math.floor(expected)));
  if (grpc && expected > 0) headers.set(EnvoyHeader.grpcTimeout, `${Math.floor(expected)}m`);
  const perTryIdle = action.retry?.perTryIdleTimeout ?? 0;
  return total + perTry + perTryIdle + stream === 0 ? null : { total, perTry, perTryIdle, stream };
}

function grpcLimit(action: ForwardAction, headers: HeaderMap): number {
  const max = action.maxGrpcTimeout ?? 0;
  let limit = grpcTimeout(headers) ?? 0;
  if (action.grpcTimeoutOffset < limit) limit -= action.grpcTimeoutOffset;
  return max > 0 && (limit === 0 || limit > max) ? max : limit;
}

function digits(text: string): number | null {
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}
