import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RBAC_Action, RBACSchema } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import type { ConfigObject } from "../../config/config-object.ts";
import type { MeshConfigSpec } from "../../config/kinds/mesh-config.ts";
import type { Provenance } from "../generated.ts";
import type { RuleFacts } from "./alternatives.ts";
import { NEVER, type RbacPolicy, translateRule } from "./translate-rule.ts";

export type Rules = MessageInitShape<typeof RBACSchema>;
export type AuthorizationPolicy = ConfigObject<"AuthorizationPolicy">;
export type RuleTransport = "http" | "tcp";

/** A rule under the name that Istio gives it. */
export interface NamedRule {
  readonly key: string;
  readonly policy: RbacPolicy;
  readonly place: Provenance;
}

/**
 * Every rule of a policy. One that would match more than was meant, because a part of it cannot be enforced,
 * must not allow; it may deny.
 */
export function namedRules(
  config: AuthorizationPolicy,
  mesh: MeshConfigSpec,
  transport: RuleTransport,
): readonly NamedRule[] {
  const { namespace, name, spec } = config;
  const key = (i: number) => `ns[${namespace}]-policy[${name}]-rule[${i}]`;
  if (spec.rules.length === 0) return [{ key: key(0), policy: NEVER, place: { config, path: "spec" } }];
  return spec.rules.flatMap((rule, i) => {
    const path = `spec.rules[${i}]`;
    const { policy, widened } = translateRule(rule, path, ruleFacts(config, mesh), transport);
    return widened && spec.action === "ALLOW" ? [] : [{ key: key(i), policy, place: { config, path } }];
  });
}

export function ruleFacts({ namespace }: AuthorizationPolicy, mesh: MeshConfigSpec): RuleFacts {
  return { namespace, trustDomains: [...new Set([mesh.trustDomain, ...mesh.trustDomainAliases])] };
}

export function rbac(action: RBAC_Action, rules: readonly NamedRule[]): Rules {
  return { action, policies: Object.fromEntries(rules.map(({ key, policy }) => [key, policy])) };
}

export function placesOf(rules: readonly NamedRule[]): Map<string, Provenance> {
  return new Map(rules.map(({ key, place }) => [key, place]));
}
