import type { Clock, DeadlineWheel } from "@mixerless/clock";
import type { Transport } from "../../transport/transport.ts";
import type { ServerConnection, ServerConnectionCallbacks } from "../codec.ts";

/** What the connection manager's configuration says about the downstream wire format. */
export interface ServerCodecOptions {
  /** By `codec_type`. `auto`: HTTP/2 by ALPN `h2` or by its preface. */
  readonly codec: "auto" | "http1" | "http2";
  readonly maxRequestHeadersBytes: number;
  readonly maxHeadersCount: number;
  readonly acceptHttp10: boolean;
  /** Authority for HTTP/1.0 requests without `host`; null refuses them. */
  readonly defaultHostForHttp10: string | null;
  readonly headersWithUnderscores: "allow" | "reject" | "drop";
  /** From the first byte of a head to its end, milliseconds; 0 for no limit. */
  readonly requestHeadersTimeout: number;
  /** Without any stream, milliseconds; 0 for no limit. */
  readonly idleTimeout: number;
  /** How long a connection that the proxy ends waits for its client to have read the last answer, milliseconds. */
  readonly delayedCloseTimeout: number;
  /** Requests before the connection is closed; 0 for no limit. */
  readonly maxRequestsPerConnection: number;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
}

/** How a connection manager comes by its codec. */
export type ServerConnectionFactory = (
  transport: Transport,
  callbacks: ServerConnectionCallbacks,
  options: ServerCodecOptions,
) => ServerConnection;
