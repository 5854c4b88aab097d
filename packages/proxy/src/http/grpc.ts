import type { StreamInfo } from "../stream/stream-info.ts";
import { EnvoyHeader } from "./envoy-header-name.ts";
import type { HeaderMap } from "./header-map.ts";
import { H } from "./header-name.ts";

/** `application/grpc` or `application/grpc+…`, so that gRPC-Web is plain HTTP [telemetry §1.7]. */
export function isGrpcRequest(headers: HeaderMap): boolean {
  const type = headers.get(H.contentType);
  if (type === null) return false;
  return type.startsWith("application/grpc") && (type.length === 16 || type.charCodeAt(16) === 43);
}

/** The status that a gRPC client reads out of an HTTP response without `grpc-status` [telemetry §1.7]. */
export function grpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

/**
 * The gRPC status of a stream: from the trailers, else the headers, else derived from the HTTP status; −1 where it
 * cannot be read. Null for other requests and where there was no response at all.
 */
export function grpcStatusOf(info: StreamInfo): number | null {
  if (info.requestHeaders === null || !isGrpcRequest(info.requestHeaders)) return null;
  const text = info.responseTrailers?.get(H.grpcStatus) ?? info.responseHeaders?.get(H.grpcStatus) ?? null;
  if (text !== null) return /^\d{1,2}$/.test(text) && Number(text) <= 16 ? Number(text) : -1;
  return info.responseCode === 0 ? null : grpcStatusOfHttp(info.responseCode);
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** What `grpc-timeout` asks for, milliseconds; null where it is missing or malformed. */
export function grpcTimeout(headers: HeaderMap): number | null {
  const match = /^(\d{1,8})([HMSmun])$/.exec(headers.get(EnvoyHeader.grpcTimeout) ?? "");
  return match === null ? null : Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
}
