import type { Decision, PolicyFacts } from "@mixerless/policy";
import type { HeaderName } from "../../http/header-name.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import type { RbacConfig } from "./config.ts";
import type { RbacStats } from "./stats.ts";

/** Where the results of the rules stand among the facts of a stream. */
export type RbacMetadata = "envoy.filters.http.rbac" | "envoy.filters.network.rbac";
const COMMON_METADATA = "envoy.common";

/**
 * Tries the rules of both kinds, counts and notes what they say [control-plane §6.3]; returns the decision
 * of those that are enforced, null where none are.
 */
export function decide(
  config: RbacConfig,
  facts: PolicyFacts<HeaderName>,
  info: StreamInfo,
  stats: RbacStats,
  metadata: RbacMetadata,
): Decision | null {
  const { rules, shadow, rulesPrefix, shadowPrefix } = config;
  if (shadow !== null) {
    const decision = shadow.decide(facts);
    stats.countShadow(decision.allowed);
    note(info, metadata, { ...outcome(`${shadowPrefix}shadow_`, decision) });
  }
  if (rules === null) return null;
  const decision = rules.decide(facts);
  if (rules.action === "LOG") note(info, COMMON_METADATA, { access_log_hint: decision.policy !== null });
  stats.count(decision.allowed);
  note(info, metadata, { ...outcome(`${rulesPrefix}enforced_`, decision) });
  return decision;
}

/** `rbac_access_denied_matched_policy[<policy, or none>]`, one word as all details are. */
export function deniedDetails({ policy }: Decision): string {
  return `rbac_access_denied_matched_policy[${policy ?? "none"}]`.replaceAll(/\s/g, "_");
}

function outcome(prefix: string, { allowed, policy }: Decision): Record<string, unknown> {
  return {
    ...(policy === null ? {} : { [`${prefix}effective_policy_id`]: policy }),
    [`${prefix}engine_result`]: allowed ? "allowed" : "denied",
  };
}

function note(info: StreamInfo, name: string, values: Record<string, unknown>): void {
  info.dynamicMetadata ??= {};
  info.dynamicMetadata[name] = { ...(info.dynamicMetadata[name] as object | undefined), ...values };
}
