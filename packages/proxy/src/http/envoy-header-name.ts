import { HeaderName } from "./header-name.ts";

/** Names that only the request path above the codec knows. */
export const EnvoyHeader = {
  via: HeaderName.of("via"),
  vary: HeaderName.of("vary"),
  origin: HeaderName.of("origin"),
  setCookie: HeaderName.of("set-cookie"),
  grpcTimeout: HeaderName.of("grpc-timeout"),
  xForwardedHost: HeaderName.of("x-forwarded-host"),
  originalHost: HeaderName.of("x-envoy-original-host"),
  attemptCount: HeaderName.of("x-envoy-attempt-count"),
  internal: HeaderName.of("x-envoy-internal"),
  externalAddress: HeaderName.of("x-envoy-external-address"),
  immediateHealthCheckFail: HeaderName.of("x-envoy-immediate-health-check-fail"),
  overloaded: HeaderName.of("x-envoy-overloaded"),
  isTimeoutRetry: HeaderName.of("x-envoy-is-timeout-retry"),
  upstreamRqTimeoutMs: HeaderName.of("x-envoy-upstream-rq-timeout-ms"),
  upstreamRqPerTryTimeoutMs: HeaderName.of("x-envoy-upstream-rq-per-try-timeout-ms"),
  retryOn: HeaderName.of("x-envoy-retry-on"),
  retryGrpcOn: HeaderName.of("x-envoy-retry-grpc-on"),
  maxRetries: HeaderName.of("x-envoy-max-retries"),
  retriableStatusCodes: HeaderName.of("x-envoy-retriable-status-codes"),
  faultDelay: HeaderName.of("x-envoy-fault-delay-request"),
  faultDelayPercentage: HeaderName.of("x-envoy-fault-delay-request-percentage"),
  faultAbort: HeaderName.of("x-envoy-fault-abort-request"),
  faultAbortGrpc: HeaderName.of("x-envoy-fault-abort-grpc-request"),
  faultAbortPercentage: HeaderName.of("x-envoy-fault-abort-request-percentage"),
} as const;
