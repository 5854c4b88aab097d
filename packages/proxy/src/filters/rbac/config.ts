import { compileRuleSet, type RuleSet } from "@mixerless/policy";
import type { RBAC as Rules } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import type { RBAC } from "@mixerless/wire/envoy/extensions/filters/http/rbac/v3/rbac";
import { HeaderName } from "../../http/header-name.ts";
import { type ConfigFault, fieldPath } from "../../network/config-fault.ts";

/** Compiled rules and what they are called in metadata. */
export interface RbacConfig {
  /** Null: nothing is enforced. */
  readonly rules: RuleSet<HeaderName> | null;
  readonly rulesPrefix: string;
  /** Tried and noted, never enforced. */
  readonly shadow: RuleSet<HeaderName> | null;
  readonly shadowPrefix: string;
}

/** What HTTP and network filters have in common. */
type RbacFields = Pick<RBAC, "rules" | "shadowRules" | "matcher" | "shadowMatcher" | "shadowRulesStatPrefix">;

export function compileRbac(
  message: RbacFields & { readonly rulesStatPrefix?: string },
  path: string,
  faults: ConfigFault[],
): RbacConfig {
  for (const field of ["matcher", "shadowMatcher"] as const) {
    if (message[field] !== undefined)
      faults.push({ path: fieldPath(path, field), message: "is not supported; use rules" });
  }
  const compile = (rules: Rules | undefined, field: string) =>
    rules === undefined
      ? null
      : compileRuleSet(rules, fieldPath(path, field), { headerKey: (name) => HeaderName.of(name), faults });
  return {
    rules: compile(message.rules, "rules"),
    rulesPrefix: message.rulesStatPrefix ?? "",
    shadow: compile(message.shadowRules, "shadowRules"),
    shadowPrefix: message.shadowRulesStatPrefix,
  };
}
