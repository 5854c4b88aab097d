import type { Clock, DeadlineWheel } from "@mixerless/clock";
import type { FieldLimits } from "./field-parser.ts";
import type { RequestLimits } from "./request-head.ts";

/** Limits of heads and trailers. Defaults are Envoy's where it has them. */
export interface Http1HeadOptions {
  /** Start line and headers together. Default 60 KiB, for responses 80 KiB. */
  readonly maxHeadBytes?: number;
  /** Default 100. */
  readonly maxHeaders?: number;
}

export interface Http1ServerOptions extends Http1HeadOptions {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  /** Default 8 KiB. */
  readonly maxRequestLineBytes?: number;
  readonly headersWithUnderscores?: "allow" | "reject" | "drop";
  /** Default false: HTTP/1.0 is answered 426. */
  readonly acceptHttp10?: boolean;
  /** Authority of HTTP/1.0 requests without `host`; null, the default, refuses them. */
  readonly defaultHostForHttp10?: string | null;
  /** Default false: CONNECT is answered 403. */
  readonly acceptConnect?: boolean;
  /** From the first byte of a head to its last, milliseconds; 0 for no limit. Default 10 s. */
  readonly headersTimeout?: number;
  /** Without any stream, milliseconds; 0, the default, for no limit. */
  readonly idleTimeout?: number;
  /** Requests before a connection is closed; 0, the default, for no limit. */
  readonly maxRequests?: number;
  /** How long, in milliseconds, a closing connection waits for its client to have read the answer. Default 1 s. */
  readonly lingerTimeout?: number;
  /** How long, in milliseconds, it waits while the client takes nothing of what is left to send. Default 5 min. */
  readonly flushTimeout?: number;
  /** How much of what the client still sends is read meanwhile. Default 256 KiB. */
  readonly lingerBytes?: number;
}

/** {@link Http1ServerOptions} with nothing left out. */
export interface ServerLimits extends RequestLimits {
  readonly headersTimeout: number;
  readonly idleTimeout: number;
  readonly maxRequests: number;
  readonly lingerTimeout: number;
  readonly flushTimeout: number;
  readonly lingerBytes: number;
}

const MAX_HEAD_BYTES = 60 * 1024;
const MAX_RESPONSE_HEAD_BYTES = 80 * 1024;
const MAX_HEADERS = 100;

export function responseLimits(options: Http1HeadOptions): FieldLimits {
  return headLimits({ maxHeadBytes: MAX_RESPONSE_HEAD_BYTES, ...options });
}

function headLimits(options: Http1HeadOptions): FieldLimits {
  return {
    maxHeadBytes: options.maxHeadBytes ?? MAX_HEAD_BYTES,
    maxHeaders: options.maxHeaders ?? MAX_HEADERS,
    underscores: "allow",
  };
}

export function serverLimits(options: Http1ServerOptions): ServerLimits {
  return {
    ...headLimits(options),
    underscores: options.headersWithUnderscores ?? "allow",
    maxRequestLineBytes: options.maxRequestLineBytes ?? 8 * 1024,
    acceptHttp10: options.acceptHttp10 ?? false,
    defaultHostForHttp10: options.defaultHostForHttp10 ?? null,
    acceptConnect: options.acceptConnect ?? false,
    headersTimeout: options.headersTimeout ?? 10_000,
    idleTimeout: options.idleTimeout ?? 0,
    maxRequests: options.maxRequests ?? 0,
    lingerTimeout: Math.max(1, options.lingerTimeout ?? 1000),
    flushTimeout: options.flushTimeout ?? 300_000,
    lingerBytes: options.lingerBytes ?? 256 * 1024,
  };
}
