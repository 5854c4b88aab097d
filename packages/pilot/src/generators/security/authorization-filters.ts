import { RBACSchema as HttpRbacSchema } from "@mixerless/wire/envoy/extensions/filters/http/rbac/v3/rbac";
import { RBACSchema as NetworkRbacSchema } from "@mixerless/wire/envoy/extensions/filters/network/rbac/v3/rbac";
import type { Provenance } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { typed } from "../proto.ts";
import type { NamedFilter } from "../telemetry-filters.ts";
import type { ListenerClass } from "../telemetry-of.ts";
import { authorizationRules, type FilterRules } from "./authorization-rules.ts";

/** RBAC filters of a chain, in their order. Who calls out is judged where the call arrives. */
export function httpAuthorization(input: GeneratorInput, listenerClass: ListenerClass): readonly NamedFilter[] {
  return listenerClass === "outbound" ? [] : filtersFor(input, "http", httpFilter);
}

/** As {@link httpAuthorization}, for a chain that passes connections on. */
export function tcpAuthorization(input: GeneratorInput, listenerClass: ListenerClass): readonly NamedFilter[] {
  return listenerClass === "outbound" ? [] : filtersFor(input, "tcp", tcpFilter);
}

function httpFilter({ rules, shadowRules, shadowPrefix }: FilterRules): NamedFilter {
  const config = typed(HttpRbacSchema, {
    ...(rules !== undefined && { rules }),
    ...(shadowRules !== undefined && { shadowRules }),
    shadowRulesStatPrefix: shadowPrefix,
  });
  return { name: "envoy.filters.http.rbac", config };
}

function tcpFilter({ rules, shadowRules, shadowPrefix }: FilterRules): NamedFilter {
  const config = typed(NetworkRbacSchema, {
    ...(rules !== undefined && { rules }),
    ...(shadowRules !== undefined && { shadowRules }),
    statPrefix: "tcp.",
    shadowRulesStatPrefix: shadowPrefix,
  });
  return { name: "envoy.filters.network.rbac", config };
}

/** The objects that judge what arrives at the proxy. */
export function authorizationProvenance({ push, proxy }: GeneratorInput): Provenance[] {
  const tokens = push.attached("RequestAuthentication", proxy);
  return [...tokens, ...push.attached("AuthorizationPolicy", proxy)].map((config) => ({ config, path: "spec" }));
}

/** Made once for all workloads that the same policies judge. */
function filtersFor(
  { push, proxy, memo }: GeneratorInput,
  transport: "http" | "tcp",
  make: (rules: FilterRules) => NamedFilter,
): readonly NamedFilter[] {
  const policies = push.attached("AuthorizationPolicy", proxy);
  const made = () => authorizationRules(policies, push.mesh, transport).map(make);
  if (memo === undefined) return made();
  return memo.get(`rbac ${transport} ${policies.map((policy) => memo.identity(policy)).join()}`, made);
}
