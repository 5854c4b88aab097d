import type { OutgoingHttpHeaders } from "node:http2";
import type { GrpcMetadata, GrpcRequest } from "./grpc-client.ts";

const NAME = /^[a-z0-9_.-]+$/;
/** Printable, or of more than seven bits: what a field of HTTP/2 may hold. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Said by the call itself, or without a meaning in HTTP/2. */
const RESERVED = new Set([
  ...["content-type", "content-length", "te", "grpc-timeout", "grpc-encoding", "host"],
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings"],
]);

/** Metadata that can't be sent is left out. */
export function requestHeaders(request: GrpcRequest, scheme: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    ":method": "POST",
    ":scheme": scheme,
    ":authority": request.authority === "" ? request.cluster : request.authority,
    ":path": request.path,
    te: "trailers",
    "content-type": "application/grpc",
    "grpc-accept-encoding": "identity",
  };
  if (request.timeout > 0) headers["grpc-timeout"] = timeoutText(request.timeout);
  for (const [name, value] of request.metadata) {
    if (RESERVED.has(name) || !NAME.test(name) || !VALUE.test(value)) continue;
    const before = headers[name];
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  return headers;
}

/** At most eight digits go before the unit. */
function timeoutText(milliseconds: number): string {
  const whole = Math.ceil(milliseconds);
  return whole < 1e8 ? `${whole}m` : `${Math.ceil(whole / 1000)}S`;
}

/** Of the raw form: name, value, name, value. */
export function pairsOf(raw: readonly string[] | undefined): GrpcMetadata {
  const pairs: [string, string][] = [];
  for (let at = 0; raw !== undefined && at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return pairs;
}

/** `grpc-message` has bytes beyond printable ASCII in percent encoding; what isn't, is taken as it stands. */
export function statusMessage(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
