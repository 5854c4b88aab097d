import { EnvoyHeader } from "../../http/envoy-header-name.ts";
import { isGrpcRequest } from "../../http/grpc.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import { H, HeaderName } from "../../http/header-name.ts";
import type { HeaderMatch } from "../../http/routing/header-matcher.ts";
import { parseRetryOn, RetryOn, type RetryPolicy } from "../../http/routing/retry-policy.ts";
import type { UpstreamFailure } from "./failure.ts";

const RATE_LIMITED = HeaderName.of("x-envoy-ratelimited");

/** What a client may ask with. */
const ASKING: readonly HeaderName[] = [
  EnvoyHeader.retryOn,
  EnvoyHeader.retryGrpcOn,
  EnvoyHeader.maxRetries,
  EnvoyHeader.retriableStatusCodes,
  EnvoyHeader.retriableHeaderNames,
];

/** `retry_on` conditions over `grpc-status`, by its number. */
const GRPC_CONDITIONS: Readonly<Record<string, number>> = {
  "1": RetryOn.GrpcCancelled,
  "4": RetryOn.GrpcDeadlineExceeded,
  "8": RetryOn.GrpcResourceExhausted,
  "13": RetryOn.GrpcInternal,
  "14": RetryOn.GrpcUnavailable,
};

/** The policy of a request: the route's, with what internal clients may ask for in headers. Null: never retried. */
export function effectiveRetryPolicy(route: RetryPolicy | null, headers: HeaderMap): RetryPolicy | null {
  const asked = headers.get(EnvoyHeader.retryOn);
  const askedGrpc = headers.get(EnvoyHeader.retryGrpcOn);
  const max = headers.get(EnvoyHeader.maxRetries);
  const codes = headers.get(EnvoyHeader.retriableStatusCodes);
  const names = headers.get(EnvoyHeader.retriableHeaderNames);
  if (asked === null && askedGrpc === null && max === null && codes === null && names === null)
    return accepted(route, headers);
  for (const name of ASKING) headers.remove(name);
  const base = route ?? { ...DEFAULTS };
  const merged: RetryPolicy = {
    ...base,
    on: base.on | parseRetryOn(`${asked ?? ""},${askedGrpc ?? ""}`),
    retries: max !== null && /^\d{1,4}$/.test(max) ? Number(max) : base.retries,
    statusCodes: codes === null ? base.statusCodes : new Set([...base.statusCodes, ...codes.split(",").map(Number)]),
    headers: names === null ? base.headers : [...base.headers, ...presenceOf(names)],
  };
  return accepted(merged, headers);
}

/** One test for each name of a list. */
function presenceOf(names: string): HeaderMatch[] {
  const trimmed = names.split(",").map((name) => name.trim());
  return trimmed
    .filter((name) => name !== "")
    .map((text) => {
      const name = HeaderName.transient(text);
      return (headers) => headers.has(name);
    });
}

const DEFAULTS: RetryPolicy = {
  on: 0,
  retries: 1,
  perTryTimeout: 0,
  perTryIdleTimeout: 0,
  statusCodes: new Set(),
  headers: [],
  requestHeaders: [],
  avoidTriedHosts: false,
  hostAttempts: 1,
  priorityUpdateFrequency: 0,
  backOffBase: 25,
  backOffMax: 250,
  resetHeaders: null,
};

function accepted(policy: RetryPolicy | null, headers: HeaderMap): RetryPolicy | null {
  if (policy === null || policy.on === 0) return null;
  if (policy.requestHeaders.length === 0) return policy;
  return policy.requestHeaders.some((matches) => matches(headers)) ? policy : null;
}

/** True where a response asks for another attempt. */
export function retriesResponse(policy: RetryPolicy, headers: HeaderMap, request: HeaderMap): boolean {
  const { on } = policy;
  // A rate limiter said no: asking again at once would defeat it, unless somebody wants just that.
  if (headers.has(RATE_LIMITED)) return (on & RetryOn.RateLimited) !== 0;
  const status = Number(headers.get(H.status) ?? 0);
  if ((on & RetryOn.ServerError) !== 0 && status >= 500) return true;
  if ((on & RetryOn.GatewayError) !== 0 && status >= 502 && status <= 504) return true;
  if ((on & RetryOn.Retriable4xx) !== 0 && status === 409) return true;
  if ((on & RetryOn.RetriableStatusCodes) !== 0 && policy.statusCodes.has(status)) return true;
  if ((on & RetryOn.RetriableHeaders) !== 0 && policy.headers.some((matches) => matches(headers))) return true;
  const grpcStatus = headers.get(H.grpcStatus);
  if (grpcStatus === null || !isGrpcRequest(request)) return false;
  return (on & (GRPC_CONDITIONS[grpcStatus] ?? 0)) !== 0;
}

/** True where a failed attempt may be followed by another. `sent`: its request had begun to leave. */
export function retriesFailure(policy: RetryPolicy, failure: UpstreamFailure, sent: boolean): boolean {
  const { on } = policy;
  if (failure.kind === "overflow") return false;
  if ((on & (RetryOn.ServerError | RetryOn.GatewayError | RetryOn.Reset)) !== 0) return true;
  if ((on & RetryOn.ResetBeforeRequest) !== 0 && !sent) return true;
  if ((on & RetryOn.ConnectFailure) !== 0 && failure.kind === "connect") return true;
  return (on & RetryOn.RefusedStream) !== 0 && failure.kind === "refused";
}

/** Milliseconds before the `retry`-th retry (from 1): exponential with full jitter, as Envoy's. */
export function backOff(policy: RetryPolicy, retry: number, random: number): number {
  return Math.min(random * policy.backOffBase * (2 ** Math.min(retry, 30) - 1), policy.backOffMax);
}
