import type { RefusalKind } from "../http/codec.ts";

/** A reason why bytes are no acceptable HTTP/1.1 message. */
export interface Http1Fault {
  /** Of the answer, when a client sent them. */
  readonly status: number;
  /** Envoy's response code details where it has a word for this one. */
  readonly code: string;
  readonly kind: RefusalKind;
  /** What happened and what to do about it, for whoever sent them. */
  readonly text: string;
}

function fault(status: number, name: string, text: string): Http1Fault {
  return { status, code: `http1.${name}`, kind: "protocol-error", text };
}

/** Well-formed, but refused: Envoy's connection manager answers these, with details that have no prefix. */
function refusal(status: number, code: string, kind: RefusalKind, text: string): Http1Fault {
  return { status, code, kind, text };
}

/**
 * Every refusal, with its answer. The strict ones are not pedantry: two parties that read one message
 * differently let a third smuggle requests past one of them, so what could be read in two ways is refused.
 */
export const Fault = {
  // The request line.
  invalidMethod: fault(400, "invalid_method", "The request does not begin with a method and one space."),
  invalidTarget: fault(400, "invalid_url", "The request target is empty or holds a byte that must be encoded."),
  invalidVersion: fault(400, "invalid_version", "The request line must end with one space and HTTP/1.1."),
  unsupportedVersion: fault(400, "unsupported_version", "This connection speaks HTTP/1.1 only."),
  http10Refused: refusal(426, "low_version", "protocol-error", "HTTP/1.0 is not accepted here. Send HTTP/1.1."),
  requestLineTooLong: fault(414, "request_line_too_long", "The request line is too long. Shorten the target."),
  connectRefused: refusal(
    403,
    "upgrade_failed",
    "upgrade",
    "This listener is no forward proxy: CONNECT is not accepted.",
  ),
  // Field lines.
  bareCr: fault(400, "bare_cr", "A CR stands without its LF."),
  bareLf: fault(400, "bare_lf", "A line ends with LF alone. Lines end with CR LF."),
  obsFold: fault(400, "obs_fold", "A header line begins with white space. Folded lines are obsolete."),
  emptyName: fault(400, "empty_header_name", "A header line begins with a colon."),
  spaceInName: fault(400, "space_in_header_name", "White space stands in a header name or before its colon."),
  invalidName: fault(400, "invalid_header_name", "A header name holds a byte that is not allowed there."),
  underscoreInName: fault(400, "unexpected_underscore", "Header names with an underscore are refused here."),
  missingColon: fault(400, "missing_colon", "A header line has no colon."),
  invalidValue: fault(400, "invalid_characters", "A header value holds a control byte."),
  headTooLarge: fault(431, "headers_too_large", "The headers are too large together."),
  tooManyHeaders: fault(431, "too_many_headers", "There are too many headers."),
  tooManyOptions: fault(400, "too_many_connection_options", "The connection header names too many others."),
  headTimeout: refusal(408, "request_header_timeout", "header-timeout", "The headers did not arrive in time."),
  // The host.
  missingHost: refusal(400, "missing_host_header", "unsupported", "HTTP/1.1 requests carry a host header."),
  duplicateHost: fault(400, "duplicate_host", "There is more than one host header."),
  invalidHost: fault(400, "invalid_host", "The host is empty or not of the form name:port."),
  // Where the body ends.
  lengthAndEncoding: fault(
    400,
    "content_length_and_chunked_not_allowed",
    "Content-length and transfer-encoding exclude each other.",
  ),
  duplicateLength: fault(400, "duplicate_content_length", "There is more than one content-length."),
  invalidLength: fault(400, "invalid_content_length", "The content-length is not one plain decimal number."),
  duplicateEncoding: fault(400, "duplicate_transfer_encoding", "There is more than one transfer-encoding."),
  unsupportedEncoding: fault(400, "invalid_transfer_encoding", "The only transfer-encoding here is chunked."),
  encodingInHttp10: fault(400, "transfer_encoding_in_http10", "HTTP/1.0 has no transfer-encoding."),
  // Chunks and trailers.
  invalidChunkSize: fault(400, "invalid_chunk_size", "A chunk does not begin with a plain hexadecimal size."),
  invalidChunkExtension: fault(
    400,
    "invalid_chunk_extension",
    "A chunk extension is too long or not of the form ;name=token.",
  ),
  invalidChunkEnd: fault(400, "invalid_chunk_end", "A chunk is not followed by CR LF."),
  forbiddenTrailer: fault(400, "forbidden_trailer", "A trailer names a header that has no meaning after the body."),
  // Responses.
  invalidStatusLine: fault(502, "invalid_status_line", "The response does not begin with HTTP/1.1 and a status."),
  bodyNotAllowed: fault(502, "body_not_allowed", "A response that has no body announces one."),
  unexpectedUpgrade: fault(502, "unexpected_upgrade", "The server switched protocols without having been asked to."),
  tooManyInformational: fault(502, "too_many_informational", "The server sends informational responses without end."),
  closingInformational: fault(502, "closing_informational", "An informational response closes the connection."),
  unexpectedData: fault(502, "unexpected_data", "The server sent bytes that belong to no request."),
} as const;

/** A fault of an upstream, as `onClose` reports it. `code` is the fault's. */
export class Http1Error extends Error {
  readonly code: string;

  constructor(fault: Http1Fault) {
    super(`${fault.code}: ${fault.text}`);
    this.name = "Http1Error";
    this.code = fault.code;
  }
}
