import { grpcStatusOf } from "../../../http/grpc.ts";
import { formatResponseFlags, formatResponseFlagsLong } from "../../../stream/response-flags.ts";
import type { StreamInfo } from "../../../stream/stream-info.ts";
import { type Operator, type OperatorTable, plain } from "../operator.ts";

const GRPC_CAMEL =
  "OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated".split(
    " ",
  );
const GRPC_SNAKE =
  "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED".split(
    " ",
  );

/** How the stream ended, what it was and how large. */
export const OUTCOME_OPERATORS: OperatorTable = {
  RESPONSE_CODE: plain((info) => info.responseCode),
  RESPONSE_CODE_DETAILS: details,
  RESPONSE_FLAGS: plain((info) => formatResponseFlags(info.responseFlags)),
  RESPONSE_FLAGS_LONG: plain((info) => formatResponseFlagsLong(info.responseFlags)),
  CONNECTION_TERMINATION_DETAILS: plain((info) => info.connectionTerminationDetails),
  UPSTREAM_TRANSPORT_FAILURE_REASON: plain((info) => info.upstreamTransportFailure?.replaceAll(" ", "_") ?? null),
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: plain((info) => info.downstreamTransportFailure?.replaceAll(" ", "_") ?? null),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: plain((info) => info.attemptCount),
  GRPC_STATUS: grpcStatus,
  GRPC_STATUS_NUMBER: plain(grpcStatusOf),
  PROTOCOL: plain((info) => orNull(info.protocol)),
  UPSTREAM_PROTOCOL: plain((info) => orNull(info.upstreamProtocol)),
  ACCESS_LOG_TYPE: plain(logType),
  BYTES_RECEIVED: plain((info) => info.bytesReceived),
  BYTES_SENT: plain((info) => info.bytesSent),
  DOWNSTREAM_WIRE_BYTES_RECEIVED: plain((info) => info.wireBytesReceived),
  DOWNSTREAM_WIRE_BYTES_SENT: plain((info) => info.wireBytesSent),
  UPSTREAM_WIRE_BYTES_RECEIVED: plain((info) => info.upstreamWireBytesReceived),
  UPSTREAM_WIRE_BYTES_SENT: plain((info) => info.upstreamWireBytesSent),
  DOWNSTREAM_HEADER_BYTES_RECEIVED: plain((info) => info.requestHeaders?.byteSize ?? 0),
  DOWNSTREAM_HEADER_BYTES_SENT: plain((info) => info.responseHeaders?.byteSize ?? 0),
  BYTES_RETRANSMITTED: plain(() => 0),
  PACKETS_RETRANSMITTED: plain(() => 0),
};

/** The log of a listener has no type of its own: Envoy prints the value that stands for none. */
function logType(info: StreamInfo): string {
  if (info.loggedByListener) return "NotSet";
  return info.protocol === "" ? "TcpConnectionEnd" : "DownstreamEnd";
}

function orNull(text: string): string | null {
  return text === "" ? null : text;
}

function details(args: string | null): Operator | string {
  if (args === "ALLOW_WHITESPACES") return (info) => info.responseCodeDetails;
  if (args !== null) return "takes ALLOW_WHITESPACES or nothing";
  return (info) => info.responseCodeDetails?.replaceAll(" ", "_") ?? null;
}

function grpcStatus(args: string | null): Operator | string {
  if (args === "NUMBER") return grpcStatusOf;
  const names =
    args === null || args === "" || args === "CAMEL_STRING" ? GRPC_CAMEL : args === "SNAKE_STRING" ? GRPC_SNAKE : null;
  if (names === null) return "takes CAMEL_STRING, SNAKE_STRING or NUMBER";
  return (info: StreamInfo) => {
    const status = grpcStatusOf(info);
    return status === null ? null : (names[status] ?? String(status));
  };
}
