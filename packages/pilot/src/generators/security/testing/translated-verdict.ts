// What the generated filters say, evaluated as the data plane does.
import type { Any } from "@bufbuild/protobuf/wkt";
import { compileRuleSet, type PolicyFacts, type RuleSet } from "@mixerless/policy";
import { unpackAnyAs } from "@mixerless/wire";
import type { RBAC } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import { RBACSchema as HttpRbacSchema } from "@mixerless/wire/envoy/extensions/filters/http/rbac/v3/rbac";
import { RBACSchema as NetworkRbacSchema } from "@mixerless/wire/envoy/extensions/filters/network/rbac/v3/rbac";
import { pod, proxy, pushOf } from "../../../model/testing/push-of.ts";
import type { GeneratorInput } from "../../generator-input.ts";
import { httpAuthorization, tcpAuthorization } from "../authorization-filters.ts";
import type { Call, Surroundings, WrittenPolicy } from "./call.ts";

/** One RBAC filter as it was generated, unpacked. */
export interface UnpackedFilter {
  readonly name: string;
  readonly rules: RBAC | undefined;
  readonly shadowRules: RBAC | undefined;
  readonly statPrefix: string;
  readonly shadowPrefix: string;
}

/** Everything that a generator needs to make filters for the workload. */
export function inputOf(
  policies: readonly WrittenPolicy[],
  { workload, ...mesh }: Surroundings,
  meshConfig: object = {},
): GeneratorInput {
  const [trustDomain = "", ...trustDomainAliases] = mesh.trustDomains;
  const push = pushOf([
    { kind: "MeshConfig", metadata: { name: "mesh" }, spec: { trustDomain, trustDomainAliases, ...meshConfig } },
    pod(`${workload.namespace}/judged-v1`, "10.0.0.2", workload.labels),
    ...policies.map((policy) => ({
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      ...policy,
    })),
  ]);
  return { proxy: proxy(`${workload.namespace}/judged-v1`), push, telemetry: "native" };
}

export function filtersOf(input: GeneratorInput, transport: "http" | "tcp"): UnpackedFilter[] {
  const filters = transport === "http" ? httpAuthorization(input, "inbound") : tcpAuthorization(input, "inbound");
  return filters.map(({ name, config }) => {
    const { rules, shadowRules, shadowRulesStatPrefix, ...more } = unpacked(config, transport);
    return {
      name,
      rules,
      shadowRules,
      shadowPrefix: shadowRulesStatPrefix,
      statPrefix: "statPrefix" in more ? more.statPrefix : "",
    };
  });
}

function unpacked(config: Any, transport: "http" | "tcp") {
  const found = transport === "http" ? unpackAnyAs(config, HttpRbacSchema) : unpackAnyAs(config, NetworkRbacSchema);
  if (found.faults !== undefined) throw new Error(JSON.stringify(found.faults));
  return found.message;
}

/** Rules as the data plane compiles them; what it would refuse is an error here. */
export function compiled(rules: RBAC): RuleSet {
  const faults: { path: string; message: string }[] = [];
  const set = compileRuleSet(rules, "rules", { headerKey: (name) => name, faults });
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  return set;
}

/** The verdicts on several calls, over HTTP or not. */
export function translatedVerdicts(
  policies: readonly WrittenPolicy[],
  calls: readonly Call[],
  around: Surroundings,
): ("allow" | "deny")[] {
  const input = inputOf(policies, around);
  const sets = { http: enforced(input, "http"), tcp: enforced(input, "tcp") };
  return calls.map((call) => {
    const facts = factsOf(call);
    return sets[call.http === null ? "tcp" : "http"].every((set) => set.decide(facts).allowed) ? "allow" : "deny";
  });
}

function enforced(input: GeneratorInput, transport: "http" | "tcp"): RuleSet[] {
  return filtersOf(input, transport).flatMap(({ rules, shadowRules }) => {
    if (shadowRules !== undefined) compiled(shadowRules);
    return rules === undefined ? [] : [compiled(rules)];
  });
}

export function factsOf({ http, peer, ...call }: Call): PolicyFacts {
  const headers: Record<string, string> = http === null ? {} : { ...http.headers };
  if (http !== null) Object.assign(headers, { ":authority": http.host, ":method": http.method, ":path": http.path });
  const { trustDomain = "", namespace = "", account = "" } = peer ?? {};
  return {
    headers: (name) => [headers[name] ?? []].flat(),
    path: (http?.path ?? "").replace(/[?#].*$/s, ""),
    destinationIp: call.destinationIp,
    destinationPort: call.destinationPort,
    directRemoteIp: call.sourceIp,
    remoteIp: call.remoteIp,
    requestedServerName: call.sni,
    peer:
      peer === null
        ? null
        : { uriSans: [`spiffe://${trustDomain}/ns/${namespace}/sa/${account}`], dnsSans: [], subject: "" },
    metadata: (filter) =>
      filter === "envoy.filters.http.jwt_authn" && http?.token != null ? { payload: http.token } : http?.notes[filter],
  };
}
