import type { ResetReason } from "../../http/codec.ts";
import { EnvoyHeader } from "../../http/envoy-header-name.ts";
import type { LocalReply } from "../../http/http-filter.ts";
import { ResponseFlag } from "../../stream/response-flags.ts";
import type { PoolFailure } from "../../upstream/cluster.ts";

/** Why an attempt came to nothing, in Envoy's words, with the flag that goes with it [telemetry §1.8]. */
export interface UpstreamFailure {
  readonly reason: string;
  readonly flag: number;
  /** What the retry conditions look at. */
  readonly kind: "connect" | "reset" | "refused" | "overflow" | "local" | "protocol";
}

const FAILURES = {
  connectFailure: {
    reason: "remote connection failure",
    flag: ResponseFlag.UpstreamConnectionFailure,
    kind: "connect",
  },
  connectTimeout: { reason: "connection timeout", flag: ResponseFlag.UpstreamConnectionFailure, kind: "connect" },
  overflow: { reason: "overflow", flag: ResponseFlag.UpstreamOverflow, kind: "overflow" },
  termination: { reason: "connection termination", flag: ResponseFlag.UpstreamConnectionTermination, kind: "reset" },
  remoteReset: { reason: "remote reset", flag: ResponseFlag.UpstreamRemoteReset, kind: "reset" },
  protocol: { reason: "protocol error", flag: ResponseFlag.UpstreamProtocolError, kind: "protocol" },
  localReset: { reason: "local reset", flag: ResponseFlag.LocalReset, kind: "local" },
} as const satisfies Record<string, UpstreamFailure>;

export function failureOfPool(failure: Exclude<PoolFailure, "no-healthy-upstream">): UpstreamFailure {
  switch (failure) {
    case "overflow":
      return FAILURES.overflow;
    case "connect-timeout":
      return FAILURES.connectTimeout;
    case "connect-failure":
      return FAILURES.connectFailure;
  }
}

/**
 * A connection that ends inside a response is a broken HTTP/1 message to current Envoy (UPE); before the response it
 * is a termination (UC).
 */
export function failureOfReset(reason: ResetReason, responseStarted = false): UpstreamFailure {
  switch (reason) {
    case "connection-termination":
      return responseStarted ? FAILURES.protocol : FAILURES.termination;
    case "connection-failure":
      return FAILURES.connectFailure;
    case "remote":
      return FAILURES.remoteReset;
    case "protocol-error":
      return FAILURES.protocol;
    case "overflow":
      return FAILURES.overflow;
    case "timeout":
    case "local":
      return FAILURES.localReset;
  }
}

/** Response code details of a failure; Envoy replaces spaces, so that they stay one word in a log line. */
export function failureDetails(failure: UpstreamFailure, transport: string, responseStarted: boolean): string {
  const what = responseStarted ? "upstream_reset_after_response_started" : "upstream_reset_before_response_started";
  return `${what}{${failure.reason}${transport === "" ? "" : `|${transport}`}}`.replaceAll(" ", "_");
}

/** The reply to a client whose request failed for good before a response began. What the transport said is for the log only. */
export function failureReply(failure: UpstreamFailure, transport: string, attempts: number): LocalReply {
  const retried = attempts > 1 ? "retried and the latest " : "";
  return {
    status: failure.kind === "protocol" ? 502 : 503,
    body: `upstream connect error or disconnect/reset before headers. ${retried}reset reason: ${failure.reason}`,
    details: failureDetails(failure, transport, false),
    flags: failure.flag,
    grpcStatus: 14,
    edit: (headers) => {
      if (failure.kind === "overflow") headers.set(EnvoyHeader.overloaded, "true");
    },
  };
}

export function noHealthyUpstreamReply(): LocalReply {
  const flags = ResponseFlag.NoHealthyUpstream;
  return { status: 503, body: "no healthy upstream", details: "no_healthy_upstream", flags };
}

/** Not 4 to gRPC clients, not even where it was their own deadline: so it is with Envoy. */
export function timeoutReply(details: string): LocalReply {
  const flags = ResponseFlag.UpstreamRequestTimeout;
  return { status: 504, body: "upstream request timeout", details, flags, grpcStatus: 14 };
}

/** The cluster's `max_stream_duration` has passed. A client that was still sending is told that it was too slow. */
export function streamDurationReply(requestEnded: boolean): LocalReply {
  return {
    status: requestEnded ? 504 : 408,
    body: "upstream max stream duration reached",
    details: "upstream_max_stream_duration_reached",
    flags: ResponseFlag.UpstreamMaxStreamDurationReached,
  };
}
