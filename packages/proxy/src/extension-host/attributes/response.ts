import { grpcStatusOf } from "../../http/grpc.ts";
import { H } from "../../http/header-name.ts";
import { type AttributeFamily, fields } from "./attribute.ts";
import { headerReader } from "./request.ts";

const FIELDS = fields({
  code: (info) => (info.responseCode === 0 ? null : info.responseCode),
  code_details: (info) => info.responseCodeDetails,
  flags: (info) => info.responseFlags,
  grpc_status: grpcStatusOf,
  size: (info) => info.bytesSent,
  total_size: (info, { scope }) => {
    if (info.protocol === "") return info.bytesSent;
    if (!scope.messageSizes) return info.wireBytesSent;
    return (info.responseHeaders?.byteSize ?? 0) + info.bytesSent + (info.responseTrailers?.byteSize ?? 0);
  },
  backend_latency: (info) => {
    if (info.upstreamFirstByteSent === null || info.upstreamResponseEnded === null) return null;
    return Math.floor((info.upstreamResponseEnded - info.upstreamFirstByteSent) * 1e6);
  },
  content_length: (info) => {
    const length = info.responseHeaders?.getInteger(H.contentLength) ?? -1;
    return length < 0 ? null : length;
  },
});

/** `response.…` [telemetry §3.2]. */
export const RESPONSE: AttributeFamily = (rest) => {
  switch (rest[0]) {
    case "headers":
    case "headers_bytes":
      return headerReader(rest[1], (info) => info.responseHeaders);
    case "trailers":
    case "trailers_bytes":
      return headerReader(rest[1], (info) => info.responseTrailers);
    default:
      return FIELDS(rest);
  }
};
