import { grpcStatusOfHttp } from "../grpc.ts";
import { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";
import type { LocalReply } from "../http-filter.ts";

/** A local reply in the form in which the client wants it. */
export interface PreparedReply {
  readonly headers: HeaderMap;
  /** Empty where the headers are all there is. */
  readonly body: string;
}

/**
 * Makes the response of a local reply. A gRPC client gets status 200 and the error in `grpc-status`, as Envoy does;
 * a HEAD request gets the headers only.
 */
export function prepareReply(reply: LocalReply, grpc: boolean, head: boolean): PreparedReply {
  const headers = new HeaderMap();
  if (grpc) {
    headers.add(H.status, "200");
    headers.add(H.contentType, "application/grpc");
    headers.add(H.grpcStatus, String(reply.grpcStatus ?? grpcStatusOfHttp(reply.status)));
    if (reply.body !== "") headers.add(H.grpcMessage, percentEncoded(reply.body));
    reply.edit?.(headers);
    return { headers, body: "" };
  }
  headers.add(H.status, String(reply.status));
  if (reply.body !== "") {
    headers.add(H.contentLength, String(reply.body.length));
    headers.add(H.contentType, "text/plain");
  }
  reply.edit?.(headers);
  return { headers, body: head ? "" : reply.body };
}

/** `grpc-message` keeps printable ASCII but the percent sign; everything else is escaped byte by byte. */
function percentEncoded(text: string): string {
  return text.replace(/[^ -$&-~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
