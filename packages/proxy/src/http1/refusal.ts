import type { RefusedRequest } from "../http/codec.ts";
import type { Transport } from "../transport/transport.ts";
import type { Http1Fault } from "./fault.ts";
import type { RequestHead } from "./request-head.ts";
import { statusLine } from "./status-line.ts";

/** Answers a request that is no acceptable one, as the last thing on its connection. Returns the bytes sent. */
export function answerFault(transport: Transport, fault: Http1Fault, isHead: boolean): number {
  const body = `${fault.code}: ${fault.text}\n`;
  const upgrade = fault.status === 426 ? "upgrade: HTTP/1.1\r\nconnection: upgrade, close" : "connection: close";
  const answer =
    `${statusLine(fault.status, false)}content-type: text/plain\r\ncontent-length: ${body.length}\r\n${upgrade}\r\n\r\n` +
    (isHead ? "" : body);
  transport.appendLatin1(answer);
  return answer.length;
}

/** What is known of a refused request, from the bytes that its head was last parsed from. */
export function describeRefusal(
  fault: Http1Fault,
  head: RequestHead,
  buffer: Buffer,
  received: number,
  sent: number,
): RefusedRequest {
  return {
    status: fault.status,
    code: fault.code,
    kind: fault.kind,
    method: head.method(buffer),
    path: head.path(buffer),
    authority: head.authority(buffer),
    wireBytesReceived: received,
    wireBytesSent: sent,
  };
}
