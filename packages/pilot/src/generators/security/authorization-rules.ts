import { RBAC_Action } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import type { MeshConfigSpec } from "../../config/kinds/mesh-config.ts";
import type { Provenance } from "../generated.ts";
import { customRules } from "./custom-rules.ts";
import { isDryRun } from "./dry-run.ts";
import { type AuthorizationPolicy, namedRules, placesOf, type Rules, type RuleTransport, rbac } from "./named-rules.ts";

/** What one RBAC filter is made of. */
export interface FilterRules {
  readonly action: "CUSTOM" | "AUDIT" | "DENY" | "ALLOW";
  /** Absent: nothing is enforced. */
  readonly rules?: Rules;
  /** Tried and counted only. */
  readonly shadowRules?: Rules;
  readonly shadowPrefix: string;
  /** Where each policy of the rules comes from, by its name. */
  readonly places: ReadonlyMap<string, Provenance>;
}

const ACTIONS = { AUDIT: RBAC_Action.LOG, DENY: RBAC_Action.DENY, ALLOW: RBAC_Action.ALLOW } as const;

/**
 * The policies of a workload as the rules of its RBAC filters, in their order: those of one action share a
 * filter, an action without policies has none [control-plane §6.3].
 */
export function authorizationRules(
  policies: readonly AuthorizationPolicy[],
  mesh: MeshConfigSpec,
  transport: RuleTransport,
): FilterRules[] {
  return [
    ...customRules(policies, mesh, transport),
    ...(["AUDIT", "DENY", "ALLOW"] as const).flatMap((action) => {
      const own = policies.filter(({ spec }) => spec.action === action);
      return own.length === 0 ? [] : [filterRules(action, own, mesh, transport)];
    }),
  ];
}

function filterRules(
  action: "AUDIT" | "DENY" | "ALLOW",
  policies: readonly AuthorizationPolicy[],
  mesh: MeshConfigSpec,
  transport: RuleTransport,
): FilterRules {
  const shadow = policies.filter(isDryRun);
  const enforced = policies.filter((policy) => !isDryRun(policy));
  const named = (some: readonly AuthorizationPolicy[]) => some.flatMap((one) => namedRules(one, mesh, transport));
  const rules = named(enforced);
  const shadowRules = named(shadow);
  // Envoy's prefix is there in any case, and says "deny" only where there is something to deny.
  const denies = action === "DENY" && shadow.length > 0;
  return {
    action,
    ...(enforced.length > 0 && { rules: rbac(ACTIONS[action], rules) }),
    ...(shadow.length > 0 && { shadowRules: rbac(ACTIONS[action], shadowRules) }),
    shadowPrefix: denies ? "istio_dry_run_deny_" : "istio_dry_run_allow_",
    places: placesOf([...rules, ...shadowRules]),
  };
}
