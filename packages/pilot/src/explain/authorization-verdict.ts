import { create } from "@bufbuild/protobuf";
import { compileRuleSet, type Decision, type PolicyFacts } from "@mixerless/policy";
import { RBACSchema } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import type { Provenance } from "../generators/generated.ts";
import type { FilterRules } from "../generators/security/authorization-rules.ts";
import type { Rules } from "../generators/security/named-rules.ts";

/** What the rules of one filter say. */
export interface FilterVerdict {
  readonly action: FilterRules["action"];
  readonly allowed: boolean;
  /** The rule that matched, by the name that Envoy knows it by; null when none did. */
  readonly rule: string | null;
  readonly place: Provenance | null;
}

export interface AuthorizationVerdict {
  readonly allowed: boolean;
  /** The filter whose word is the last; null when nothing is enforced. */
  readonly decisive: FilterVerdict | null;
  /** What rules on trial say, which changes nothing. */
  readonly trials: readonly FilterVerdict[];
  /** The AUDIT rule that marks the call. */
  readonly audit: FilterVerdict | null;
}

/** Goes through the filters of a chain as the data plane does, with the same evaluator. */
export function authorizationVerdict(filters: readonly FilterRules[], facts: PolicyFacts): AuthorizationVerdict {
  const trials = filters.flatMap((filter) =>
    filter.shadowRules === undefined ? [] : [verdictOf(filter, filter.shadowRules, facts)],
  );
  let audit: FilterVerdict | null = null;
  let decisive: FilterVerdict | null = null;
  for (const filter of filters) {
    if (filter.rules === undefined) continue;
    const verdict = verdictOf(filter, filter.rules, facts);
    if (filter.action === "AUDIT") audit = verdict.rule === null ? null : verdict;
    else decisive = verdict;
    if (!verdict.allowed) break;
  }
  return { allowed: decisive?.allowed ?? true, decisive, trials, audit };
}

function verdictOf({ action, places }: FilterRules, rules: Rules, facts: PolicyFacts): FilterVerdict {
  const { allowed, policy }: Decision = compileRuleSet(create(RBACSchema, rules), "rules", {
    headerKey: (name) => name,
    faults: [],
  }).decide(facts);
  return { action, allowed, rule: policy, place: policy === null ? null : (places.get(policy) ?? null) };
}
