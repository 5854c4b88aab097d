import type { Behaviour } from "./faulty-upstreams.ts";

type Fields = Readonly<Record<string, unknown>>;

/** One way in which a request comes to nothing, or nearly, and what client and log see of it. */
export interface FailureCase {
  readonly name: string;
  /** Left out: there is no upstream at all. */
  readonly upstream?: Behaviour;
  /** Fields of the route; left out: the cluster of the upstream. `null`: there is no route. */
  readonly route?: Fields | null;
  readonly action?: Fields;
  readonly cluster?: Fields;
  readonly manager?: Fields;
  /** Fields of `tcp_proxy`: bytes instead of HTTP. */
  readonly tcp?: Fields;
  /** What is sent; `PATH` stands for nothing special: every case has a listener of its own. */
  readonly request?: string;
  /** The client goes after so many milliseconds. */
  readonly leaves?: number;
  /** Envoy's status, flags in the order of the alphabet, details, body. */
  readonly answer: readonly [status: number, flags: string, details: string, body: string];
  /** Details and body of the embedded proxy, which says more of what is wrong with what a client sends. */
  readonly ours?: readonly [details: string, body: string];
  /** Headers of the answer that matter; null: absent. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

export const get = (...fields: string[]) =>
  ["GET / HTTP/1.1", "host: a", "connection: close", ...fields, "", ""].join("\r\n");
export const grpc = get("content-type: application/grpc", "te: trailers");
export const retry = (retryOn: string, more: Fields = {}): Fields => ({
  retry_policy: { retry_on: retryOn, num_retries: 1, ...more },
});
export const fault = (config: Fields): Fields => ({
  typed_per_filter_config: {
    "envoy.filters.http.fault": {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
      ...config,
    },
  },
});
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
export const streamDuration = (duration: string): Fields => ({
  typed_extension_protocol_options: {
    [HTTP_OPTIONS]: {
      "@type": `type.googleapis.com/${HTTP_OPTIONS}`,
      common_http_protocol_options: { max_stream_duration: duration },
      explicit_http_config: { http_protocol_options: {} },
    },
  },
});
export const before = (what: string) => `upstream_reset_before_response_started{${what}}`;
export const after = (what: string) => `upstream_reset_after_response_started{${what}}`;
export const reset = (what: string) =>
  `upstream connect error or disconnect/reset before headers. reset reason: ${what}`;
export const retried = (what: string) =>
  `upstream connect error or disconnect/reset before headers. retried and the latest reset reason: ${what}`;
export const ALWAYS = { numerator: 100 };

export const GET = get();
