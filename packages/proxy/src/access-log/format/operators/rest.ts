import { randomUUID } from "node:crypto";
import { type OperatorFactory, type OperatorTable, plain } from "../operator.ts";

/** Operators of Envoy's that would need what this proxy does not keep. To print `-` for them would be a lie. */
const REFUSED: Readonly<Record<string, string>> = {
  COALESCE: "is not supported; REQ(X?Y) gives the first of two headers",
  DOWNSTREAM_LOCAL_CLOSE_REASON: "is not kept; use CONNECTION_TERMINATION_DETAILS or RESPONSE_FLAGS",
  DOWNSTREAM_DETECTED_CLOSE_TYPE: "is not kept; use RESPONSE_FLAGS, where DC and DR tell of the client's end",
};

/** Always without a value here: no spans, no custom flags, no internal listeners, no extended parts of certificates. */
const ABSENT = [
  ...["TRACE_ID", "CUSTOM_FLAGS"],
  ...["UPSTREAM_REMOTE_ADDRESS", "DOWNSTREAM_LOCAL_ADDRESS", "DOWNSTREAM_DIRECT_LOCAL_ADDRESS"].map(
    (name) => `${name}_ENDPOINT_ID`,
  ),
  ...["LOCAL", "PEER"].flatMap((side) => [`DOWNSTREAM_${side}_EMAIL_SAN`, `DOWNSTREAM_${side}_OTHERNAME_SAN`]),
  ...["FINGERPRINTS_256", "FINGERPRINTS_1", "SERIALS"].map((name) => `DOWNSTREAM_PEER_CHAIN_${name}`),
];

/** Sizes on wires without compression, and what is refused or never there. */
export const REST_OPERATORS: OperatorTable = {
  LOCAL_REPLY_BODY: plain((info) => info.localReplyBody),
  UNIQUE_ID: plain(() => randomUUID()),
  UPSTREAM_HEADER_BYTES_SENT: plain((info) =>
    info.upstreamFirstByteSent === null ? 0 : (info.requestHeaders?.byteSize ?? 0),
  ),
  UPSTREAM_HEADER_BYTES_RECEIVED: plain((info) =>
    info.upstreamResponseStarted === null ? 0 : (info.responseHeaders?.byteSize ?? 0),
  ),
  UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: plain((info) =>
    info.upstreamFirstByteSent === null ? 0 : (info.requestHeaders?.byteSize ?? 0),
  ),
  UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: plain((info) =>
    info.upstreamResponseStarted === null ? 0 : (info.responseHeaders?.byteSize ?? 0),
  ),
  DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: plain((info) => info.requestHeaders?.byteSize ?? 0),
  DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: plain((info) => info.responseHeaders?.byteSize ?? 0),
  ...Object.fromEntries(ABSENT.map((name) => [name, plain(() => null)])),
  ...Object.fromEntries(
    Object.entries(REFUSED).map(([name, reason]): [string, OperatorFactory] => [name, () => reason]),
  ),
};
