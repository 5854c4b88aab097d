import { create } from "@bufbuild/protobuf";
import { type RetryPolicy, RetryPolicySchema } from "@mixerless/wire/envoy/config/route/v3/route_components";
import { PreviousHostsPredicateSchema } from "@mixerless/wire/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts";
import { PreviousPrioritiesConfigSchema } from "@mixerless/wire/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config";
import type { HttpRetry } from "../../config/kinds/virtual-service.ts";
import { duration, typed } from "../proto.ts";

const DEFAULT_RETRY_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/** What Istio retries when nobody says otherwise; a hash must lead to the same host again [control-plane §4.4]. */
function defaultRetryPolicy(hashed: boolean): RetryPolicy {
  return create(RetryPolicySchema, {
    retryOn: DEFAULT_RETRY_ON,
    numRetries: 2,
    ...(hashed ? {} : { retryHostPredicate: [previousHosts()], hostSelectionRetryMaxAttempts: 5n }),
  });
}

/** Inbound requests are retried only while the application cannot have seen them. */
export function inboundRetryPolicy(): RetryPolicy {
  return create(RetryPolicySchema, { retryOn: "reset-before-request", numRetries: 2 });
}

/** The route's own retries, else the mesh's, else the default; `attempts: 0` switches them off. */
export function retryPolicy(
  route: HttpRetry | undefined,
  mesh: HttpRetry | undefined,
  hashed: boolean,
): RetryPolicy | undefined {
  const retries = route ?? mesh;
  if (retries === undefined) return defaultRetryPolicy(hashed);
  if (retries.attempts <= 0) return undefined;
  const { retryOn, codes } = parseRetryOn(retries.retryOn || DEFAULT_RETRY_ON);
  return create(RetryPolicySchema, {
    retryOn,
    retriableStatusCodes: codes,
    numRetries: retries.attempts,
    ...(retries.retryIgnorePreviousHosts === false
      ? {}
      : { retryHostPredicate: [previousHosts()], hostSelectionRetryMaxAttempts: 5n }),
    ...(retries.perTryTimeout === undefined || retries.perTryTimeout === 0
      ? {}
      : { perTryTimeout: duration(retries.perTryTimeout) }),
    ...(retries.backoff === undefined ? {} : { retryBackOff: { baseInterval: duration(retries.backoff) } }),
    ...(retries.retryRemoteLocalities === true ? { retryPriority: previousPriorities() } : {}),
  });
}

/** Numbers become status codes, the rest stays as it is; a number alone needs the condition that reads the codes. */
function parseRetryOn(text: string): { retryOn: string; codes: number[] } {
  const conditions: string[] = [];
  const codes: number[] = [];
  for (const part of text.split(",").map((entry) => entry.trim())) {
    if (part === "") continue;
    const code = /^\d{3}$/.test(part) ? Number(part) : Number.NaN;
    if (code >= 100 && code < 600) codes.push(code);
    else conditions.push(part);
  }
  if (codes.length > 0 && !conditions.includes("retriable-status-codes")) conditions.push("retriable-status-codes");
  return { retryOn: conditions.join(","), codes };
}

function previousHosts() {
  return {
    name: "envoy.retry_host_predicates.previous_hosts",
    configType: { case: "typedConfig" as const, value: typed(PreviousHostsPredicateSchema, {}) },
  };
}

function previousPriorities() {
  return {
    name: "envoy.retry_priorities.previous_priorities",
    configType: { case: "typedConfig" as const, value: typed(PreviousPrioritiesConfigSchema, { updateFrequency: 2 }) },
  };
}
