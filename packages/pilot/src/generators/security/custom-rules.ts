import { RBAC_Action } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import type { MeshConfigSpec } from "../../config/kinds/mesh-config.ts";
import type { FilterRules } from "./authorization-rules.ts";
import { isDryRun } from "./dry-run.ts";
import { type AuthorizationPolicy, namedRules, placesOf, type RuleTransport, rbac } from "./named-rules.ts";

const REFUSED = "-deny-due-to-bad-CUSTOM-action";

/**
 * CUSTOM policies, one filter per provider. No external authorizer can be asked yet, and what nobody has
 * judged must not pass: whatever the rules match is denied, as Istio does for a provider that is missing
 * [control-plane §6.3].
 */
export function customRules(
  policies: readonly AuthorizationPolicy[],
  mesh: MeshConfigSpec,
  transport: RuleTransport,
): FilterRules[] {
  const custom = policies.filter(({ spec }) => spec.action === "CUSTOM");
  const providers = [...new Set(custom.map(({ spec }) => spec.provider ?? ""))].sort();
  return providers.flatMap((provider) => {
    if (transport === "tcp" && asksByHttp(provider, mesh)) return [];
    const own = custom.filter(({ spec }) => (spec.provider ?? "") === provider);
    const shadow = own.filter(isDryRun);
    const enforced = own.filter((policy) => !isDryRun(policy));
    const named = (some: readonly AuthorizationPolicy[], suffix: string) =>
      some.flatMap((policy) =>
        namedRules(policy, mesh, transport).map((rule) => ({
          ...rule,
          key: `istio-ext-authz-${provider}-${rule.key}${suffix}`,
        })),
      );
    const rules = named(enforced, REFUSED);
    const shadowRules = named(shadow, "");
    return [
      {
        action: "CUSTOM" as const,
        ...(enforced.length > 0 && { rules: rbac(RBAC_Action.DENY, rules) }),
        ...(shadow.length > 0 && { shadowRules: rbac(RBAC_Action.DENY, shadowRules) }),
        shadowPrefix: "istio_ext_authz_",
        places: placesOf([...rules, ...shadowRules]),
      },
    ];
  });
}

/** An authorizer that judges HTTP requests has nothing to say about connections. */
function asksByHttp(provider: string, mesh: MeshConfigSpec): boolean {
  return mesh.extensionProviders.some(({ name, type }) => name === provider && type === "envoyExtAuthzHttp");
}
