import { unpackAnyAs } from "@mixerless/wire";
import type { RetryPolicy as RetryPolicyConfig } from "@mixerless/wire/envoy/config/route/v3/route_components";
import { PreviousPrioritiesConfigSchema } from "@mixerless/wire/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config";
import { addFaults, type ConfigFault } from "../../network/config-fault.ts";
import { milliseconds } from "./duration.ts";
import { compileHeaderMatcher, type HeaderMatch } from "./header-matcher.ts";
import { compileResetHeaders, type ResetHeaders } from "./reset-headers.ts";

/** Conditions of `retry_on`, combined by OR. */
export const RetryOn = {
  ServerError: 0x1, // 5xx: any such status, and no response at all
  GatewayError: 0x2, // 502, 503, 504
  ConnectFailure: 0x4,
  RefusedStream: 0x8,
  RetriableStatusCodes: 0x10,
  Retriable4xx: 0x20, // 409
  Reset: 0x40,
  ResetBeforeRequest: 0x80,
  RetriableHeaders: 0x100,
  GrpcCancelled: 0x200,
  GrpcDeadlineExceeded: 0x400,
  GrpcInternal: 0x800,
  GrpcResourceExhausted: 0x1000,
  GrpcUnavailable: 0x2000,
  RateLimited: 0x4000, // a response that a rate limiter made
} as const;

const NAMES: Readonly<Record<string, number>> = {
  "5xx": RetryOn.ServerError,
  "gateway-error": RetryOn.GatewayError,
  "connect-failure": RetryOn.ConnectFailure,
  "refused-stream": RetryOn.RefusedStream,
  "retriable-status-codes": RetryOn.RetriableStatusCodes,
  "retriable-4xx": RetryOn.Retriable4xx,
  reset: RetryOn.Reset,
  "reset-before-request": RetryOn.ResetBeforeRequest,
  "retriable-headers": RetryOn.RetriableHeaders,
  cancelled: RetryOn.GrpcCancelled,
  "deadline-exceeded": RetryOn.GrpcDeadlineExceeded,
  internal: RetryOn.GrpcInternal,
  "resource-exhausted": RetryOn.GrpcResourceExhausted,
  unavailable: RetryOn.GrpcUnavailable,
  "envoy-ratelimited": RetryOn.RateLimited,
};

export interface RetryPolicy {
  /** Bits of {@link RetryOn}. */
  readonly on: number;
  readonly retries: number;
  /** Milliseconds; 0 for none. */
  readonly perTryTimeout: number;
  readonly perTryIdleTimeout: number;
  readonly statusCodes: ReadonlySet<number>;
  /** Headers of a response that make it retriable. */
  readonly headers: readonly HeaderMatch[];
  /** Where not empty, requests must match one of these to be retried at all. */
  readonly requestHeaders: readonly HeaderMatch[];
  /** Whether hosts that failed are avoided, and how often another one is looked for. */
  readonly avoidTriedHosts: boolean;
  readonly hostAttempts: number;
  /** Failed attempts after which their endpoint priorities are left out; 0: never. */
  readonly priorityUpdateFrequency: number;
  /** Exponential with full jitter, milliseconds. */
  readonly backOffBase: number;
  readonly backOffMax: number;
  /** Headers of a response that say when to come back; null: none are looked at. */
  readonly resetHeaders: ResetHeaders | null;
}

/** Bits of a `retry_on` list. Unknown names mean nothing, as in Envoy [control-plane §7.10]. */
export function parseRetryOn(list: string): number {
  let on = 0;
  for (const name of list.split(",")) {
    const key = name.trim();
    if (Object.hasOwn(NAMES, key)) on |= NAMES[key] ?? 0;
  }
  return on;
}

export function compileRetryPolicy(config: RetryPolicyConfig, path: string, faults: ConfigFault[]): RetryPolicy {
  const base = milliseconds(config.retryBackOff?.baseInterval) ?? 25;
  const max = milliseconds(config.retryBackOff?.maxInterval) ?? base * 10;
  if (base <= 0) faults.push({ path: `${path}.retryBackOff.baseInterval`, message: "must be above 0" });
  if (max < base) faults.push({ path: `${path}.retryBackOff.maxInterval`, message: "must not be below baseInterval" });
  for (const [i, predicate] of config.retryHostPredicate.entries()) {
    if (predicate.name !== "envoy.retry_host_predicates.previous_hosts") {
      faults.push({ path: `${path}.retryHostPredicate[${i}]`, message: `${predicate.name} is not supported` });
    }
  }
  refuseUnsupported(config, path, faults);
  return {
    on: parseRetryOn(config.retryOn),
    retries: config.numRetries ?? 1,
    perTryTimeout: milliseconds(config.perTryTimeout) ?? 0,
    perTryIdleTimeout: milliseconds(config.perTryIdleTimeout) ?? 0,
    statusCodes: new Set(config.retriableStatusCodes),
    headers: config.retriableHeaders.map((matcher, i) =>
      compileHeaderMatcher(matcher, `${path}.retriableHeaders[${i}]`, faults),
    ),
    requestHeaders: config.retriableRequestHeaders.map((matcher, i) =>
      compileHeaderMatcher(matcher, `${path}.retriableRequestHeaders[${i}]`, faults),
    ),
    avoidTriedHosts: config.retryHostPredicate.length > 0,
    hostAttempts: Number(config.hostSelectionRetryMaxAttempts) || 1,
    priorityUpdateFrequency: compileRetryPriority(config, `${path}.retryPriority`, faults),
    backOffBase: base,
    backOffMax: max,
    resetHeaders: compileResetHeaders(config),
  };
}

function refuseUnsupported(config: RetryPolicyConfig, path: string, faults: ConfigFault[]): void {
  const refuse = (field: string, present: boolean) => {
    if (present) faults.push({ path: `${path}.${field}`, message: "is not supported" });
  };
  refuse("retryOptionsPredicates", config.retryOptionsPredicates.length > 0);
}

function compileRetryPriority(config: RetryPolicyConfig, path: string, faults: ConfigFault[]): number {
  const priority = config.retryPriority;
  if (priority === undefined) return 0;
  if (priority.configType.case !== "typedConfig") {
    faults.push({ path, message: `${priority.name} has no typedConfig` });
    return 0;
  }
  const decoded = unpackAnyAs(priority.configType.value, PreviousPrioritiesConfigSchema);
  if (decoded.faults !== undefined) {
    addFaults(faults, `${path}.typedConfig`, decoded.faults);
    return 0;
  }
  if (decoded.message.updateFrequency < 1) {
    faults.push({ path: `${path}.typedConfig.updateFrequency`, message: "must be above 0" });
  }
  return decoded.message.updateFrequency;
}
