// What an HTTP route does beside choosing a destination.
import { duration } from "../schema/duration.ts";
import { dnsLabel } from "../schema/hosts.ts";
import { lists, object, optional, required, withDefault } from "../schema/object.ts";
import {
  boolean,
  checked,
  convert,
  describe,
  int32,
  integer,
  nonEmpty,
  oneOf,
  type Reader,
  string,
} from "../schema/reader.ts";
import { percent, percentInt, port } from "../schema/shared-readers.ts";
import { checkHeaderName, checkRegex, stringMatch } from "../schema/text-rules.ts";
import type { StringMatch } from "./common.ts";
import { optionalNamespace } from "./http-match-schema.ts";
import type {
  CorsPolicy,
  Delegate,
  FaultAbort,
  FaultDelay,
  HttpDirectResponse,
  HttpFault,
  HttpRedirect,
  HttpRetry,
  HttpRewrite,
} from "./virtual-service.ts";

const httpStatus = integer({ min: 200, max: 600 });

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export const redirect: Reader<HttpRedirect> = checked(
  object({
    uri: withDefault(string, ""),
    authority: withDefault(string, ""),
    scheme: withDefault(string, ""),
    port: optional(port),
    derivePort: optional(oneOf("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT")),
    redirectCode: withDefault(integer({ min: 0, max: 399 }), 0),
  }),
  (read, at) => {
    const { uri, authority, scheme, redirectCode } = read;
    if (read.port !== undefined && read.derivePort !== undefined) {
      at.error("several-alternatives", "port and derivePort are set together.", "Keep one of them.");
    }
    if (uri + authority + scheme === "" && read.port === undefined && read.derivePort === undefined) {
      at.error("empty-redirect", "The redirect changes nothing.", "Set uri, authority, scheme or port.");
    }
    if (redirectCode !== 0 && redirectCode < 300) {
      at.at("redirectCode").error("out-of-range", `${redirectCode} is no redirect.`, "Use 301, 302, 303, 307 or 308.");
    } else if (redirectCode !== 0 && !REDIRECTS.has(redirectCode)) {
      const message = `No proxy redirects with ${redirectCode}; the route answers 500.`;
      at.at("redirectCode").warn("unsupported-redirect", message, "Use 301, 302, 303, 307 or 308.");
    }
    if (scheme !== "" && scheme !== "http" && scheme !== "https") {
      at.at("scheme").error("unknown-value", `${describe(scheme)} is no scheme.`, "Use http or https.");
    }
  },
);

const MAX_BODY = 1024 * 1024;
const LARGE_BODY = 100 * 1024;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const base64: Reader<string> = checked(string, (text, at) => {
  if (!BASE64.test(text)) at.error("bad-base64", `${describe(text)} is not base64.`, "Encode it, with = at the end.");
});

const body: Reader<string | Uint8Array> = convert(
  object({ string: optional(string), bytes: optional(base64) }),
  (read, at) => {
    if (read.string !== undefined && read.bytes !== undefined) {
      at.error("several-alternatives", "string and bytes are set together.", "Keep one of them.");
      return undefined;
    }
    const content = read.bytes === undefined ? (read.string ?? "") : new Uint8Array(Buffer.from(read.bytes, "base64"));
    const size = typeof content === "string" ? Buffer.byteLength(content) : content.length;
    if (size > MAX_BODY) at.error("body-too-large", `The body has ${size} bytes.`, "Use at most 1 MiB, or a service.");
    else if (size > LARGE_BODY)
      at.warn("body-large", `The body has ${size} bytes.`, "Every proxy keeps it; use a service.");
    return content;
  },
);

export const directResponse: Reader<HttpDirectResponse> = object({
  status: required(httpStatus),
  body: optional(body),
});

export const delegate: Reader<Delegate> = object({
  name: required(dnsLabel),
  namespace: withDefault(optionalNamespace, ""),
});

export const rewrite: Reader<HttpRewrite> = checked(
  object({
    uri: withDefault(string, ""),
    authority: withDefault(string, ""),
    uriRegexRewrite: optional(object({ match: withDefault(string, ""), rewrite: withDefault(string, "") })),
  }),
  ({ uri, authority, uriRegexRewrite }, at) => {
    if (uri !== "" && uriRegexRewrite !== undefined) {
      at.error("several-alternatives", "uri and uriRegexRewrite are set together.", "Keep one of them.");
    }
    if (uri + authority === "" && uriRegexRewrite === undefined) {
      at.error("empty-rewrite", "The rewrite changes nothing.", "Set uri, uriRegexRewrite or authority.");
    }
    if (uriRegexRewrite === undefined) return;
    const here = at.at("uriRegexRewrite");
    if (uriRegexRewrite.rewrite === "") here.error("missing-field", "rewrite is missing.", "Write the replacement.");
    checkRegex(uriRegexRewrite.match, here.at("match"));
  },
);

const RETRY_CONDITIONS = new Set([
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "retriable-4xx",
  "refused-stream",
  "retriable-status-codes",
  "retriable-headers",
  "envoy-ratelimited",
  "http3-post-connect-failure",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
]);

const retryOn: Reader<string> = checked(string, (text, at) => {
  if (text === "") return;
  for (const item of text.split(",").map((part) => part.trim())) {
    const status = /^\d{3}$/.test(item) && Number(item) >= 100 && Number(item) <= 599;
    if (status || RETRY_CONDITIONS.has(item)) continue;
    const cure = `Use status codes or ${[...RETRY_CONDITIONS].join(", ")}, separated by commas.`;
    at.error("unknown-retry-condition", `${describe(item)} is no reason for a retry.`, cure);
  }
});

export const retries: Reader<HttpRetry> = checked(
  object({
    attempts: withDefault(int32, 0),
    perTryTimeout: optional(duration()),
    retryOn: withDefault(retryOn, ""),
    retryRemoteLocalities: optional(boolean),
    retryIgnorePreviousHosts: optional(boolean),
    backoff: optional(duration()),
  }),
  (read, at) => {
    if (read.attempts < 0) at.at("attempts").error("out-of-range", "attempts is negative.", "Use 0 or more.");
    const more = read.perTryTimeout !== undefined || read.retryOn !== "" || read.retryRemoteLocalities !== undefined;
    if (read.attempts === 0 && more) {
      at.error(
        "retries-off",
        "Retries are switched off (attempts 0), yet described.",
        "Set attempts, or remove the rest.",
      );
    }
  },
);

const GRPC_STATUS = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

const UNSUPPORTED_CURE = "Use the supported forms: fixedDelay; httpStatus or grpcStatus.";

const delay: Reader<FaultDelay> = convert(
  object({
    fixedDelay: optional(duration()),
    exponentialDelay: optional(duration()),
    percentage: optional(percent),
    percent: optional(percentInt),
  }),
  ({ fixedDelay, exponentialDelay, percentage, percent: old }, at) => {
    if (exponentialDelay !== undefined) {
      at.at("exponentialDelay").error("unsupported", "Exponential delays are not supported.", UNSUPPORTED_CURE);
    }
    if (fixedDelay === undefined) {
      at.error("missing-field", "fixedDelay is missing.", 'Add fixedDelay, such as "5s".');
      return undefined;
    }
    const share = percentage ?? old;
    return Object.freeze({ fixedDelay, ...(share === undefined ? {} : { percentage: share }) });
  },
);

const abort: Reader<FaultAbort> = convert(
  object({
    httpStatus: optional(httpStatus),
    grpcStatus: optional(oneOf(...GRPC_STATUS)),
    http2Error: optional(string),
    percentage: optional(percent),
  }),
  ({ http2Error, ...read }, at) => {
    if (http2Error !== undefined)
      at.at("http2Error").error("unsupported", "HTTP/2 errors are not supported.", UNSUPPORTED_CURE);
    if (read.httpStatus !== undefined && read.grpcStatus !== undefined) {
      at.error("several-alternatives", "httpStatus and grpcStatus are set together.", "Keep one of them.");
    }
    if (read.httpStatus === undefined && read.grpcStatus === undefined && http2Error === undefined) {
      at.warn("abort-without-type", "The abort has no status, so it does nothing.", "Set httpStatus or grpcStatus.");
    }
    return Object.freeze(read);
  },
);

export const fault: Reader<HttpFault> = checked(
  object({ delay: optional(delay), abort: optional(abort) }),
  (read, at) => {
    if (read.delay === undefined && read.abort === undefined) {
      at.error("empty-fault", "The fault has neither delay nor abort.", "Add one, or remove fault.");
    }
  },
);

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"] as const;

const corsHeader: Reader<string> = checked(string, (name, at) => {
  if (name !== "*") checkHeaderName(name, at);
});

const corsOrigin: Reader<StringMatch> = checked(stringMatch, (match, at) => {
  if (match.value === "") at.error("empty-text", "The origin is empty.", "Set exact, prefix or regex.");
  else if (match.type === "regex") checkRegex(match.value, at.at("regex"));
});

export const corsPolicy: Reader<CorsPolicy> = convert(
  object({
    allowOrigins: lists(corsOrigin),
    allowOrigin: lists(nonEmpty),
    allowMethods: lists(oneOf(...METHODS)),
    allowHeaders: lists(corsHeader),
    exposeHeaders: lists(corsHeader),
    maxAge: optional(duration({ wholeSeconds: true })),
    allowCredentials: optional(boolean),
    unmatchedPreflights: withDefault(oneOf("UNSPECIFIED", "FORWARD", "IGNORE"), "UNSPECIFIED"),
  }),
  ({ allowOrigin, allowOrigins, ...read }) => {
    const old = allowOrigin.map((value): StringMatch => ({ type: "exact", value }));
    return Object.freeze({ ...read, allowOrigins: allowOrigins.length > 0 ? allowOrigins : old });
  },
);
