import type { Counter, MetricStore } from "@mixerless/metrics";
import type { VerifyFailure } from "./peer-check.ts";

/** Totals of handshakes, by Envoy's names. */
export interface TlsStats {
  readonly handshakes: Counter;
  /** Handshakes that TLS itself ended: another version, no common cipher, garbage, a client that went away. */
  readonly errors: Counter;
  readonly timeouts: Counter;
  /** Ended to make room, because too many handshakes were under way. */
  readonly overflow: Counter;
  /** Refused because too many handshakes had begun in a short time. */
  readonly rateLimited: Counter;
  /** Refused because a secret has not come yet, or is broken. */
  readonly secretsMissing: Counter;
  readonly verifyFailures: Readonly<Record<VerifyFailure, Counter>>;
}

/** Where Envoy counts the secrets that have not come. */
const MISSING = {
  listener: "server_ssl_socket_factory_downstream",
  cluster: "client_ssl_socket_factory_upstream",
} as const;

/** Of a listener's filter chains or of a cluster, told apart by a label. */
export function createTlsStats(
  store: MetricStore,
  of: "listener" | "cluster",
  [label, name]: readonly [name: string, value: string],
): TlsStats {
  const counter = (stat: string) =>
    store.counter({ name: `envoy_${of}_ssl_${stat}`, evictable: false }).series([label], [name]);
  return {
    handshakes: counter("handshake"),
    errors: counter("connection_error"),
    timeouts: counter("handshake_timeout"),
    overflow: counter("handshake_overflow"),
    rateLimited: counter("handshake_rate_limited"),
    secretsMissing: store
      .counter({ name: `envoy_${of}_${MISSING[of]}_context_secrets_not_ready`, evictable: false })
      .series([label], [name]),
    verifyFailures: {
      no_cert: counter("fail_verify_no_cert"),
      error: counter("fail_verify_error"),
      san: counter("fail_verify_san"),
      cert_hash: counter("fail_verify_cert_hash"),
    },
  };
}
