import type { MatcherFault } from "@mixerless/matchers";
import { type Policy, type RBAC, RBAC_Action } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import { anchorsOf, keysOf } from "./anchor.ts";
import type { CompileContext } from "./compile-context.ts";
import type { PolicyFacts } from "./facts.ts";
import { compilePermission } from "./permission.ts";
import { compilePrincipal } from "./principal.ts";
import { all, some, type Test } from "./test.ts";

/** What a set of rules says about one request. */
export interface Decision {
  readonly allowed: boolean;
  /** The first policy, by name, that matches; null when none does. */
  readonly policy: string | null;
}

/** The rules of one action, compiled. */
export interface RuleSet<Key = string> {
  readonly action: "ALLOW" | "DENY" | "LOG";
  /** Names of the policies in the order in which they are tried. */
  readonly policies: readonly string[];
  decide(facts: PolicyFacts<Key>): Decision;
}

interface CompiledPolicy<Key> {
  readonly name: string;
  readonly test: Test<Key>;
}

/** Compiles `envoy.config.rbac.v3.RBAC`. Faults go to the context; a set with faults must not be used. */
export function compileRuleSet<Key>(rbac: RBAC, path: string, context: CompileContext<Key>): RuleSet<Key> {
  const action = ACTIONS[rbac.action];
  // Envoy tries policies by name, so the one that decides is the same everywhere.
  const names = Object.keys(rbac.policies).sort(byBytes);
  const policies = names.map((name) => {
    const policy = rbac.policies[name] as Policy;
    return { name, test: compilePolicy(policy, `${path}.policies["${name}"]`, context) };
  });
  const index = new PolicyIndex(names.map((name) => anchorsOf(rbac.policies[name] as Policy)));
  return {
    action,
    policies: names,
    decide: (facts) => {
      const found = index.find(facts, (place) => (policies[place] as CompiledPolicy<Key>).test(facts));
      const policy = found < 0 ? null : (names[found] as string);
      return { allowed: action === "LOG" || (policy !== null) === (action === "ALLOW"), policy };
    },
  };
}

const ACTIONS = { [RBAC_Action.ALLOW]: "ALLOW", [RBAC_Action.DENY]: "DENY", [RBAC_Action.LOG]: "LOG" } as const;

function compilePolicy<Key>(policy: Policy, path: string, context: CompileContext<Key>): Test<Key> {
  const { faults } = context;
  refuse(policy.condition !== undefined, `${path}.condition`, faults);
  refuse(policy.checkedCondition !== undefined, `${path}.checkedCondition`, faults);
  if (policy.permissions.length === 0) faults.push({ path: `${path}.permissions`, message: "at least one is needed" });
  if (policy.principals.length === 0) faults.push({ path: `${path}.principals`, message: "at least one is needed" });
  const permissions = policy.permissions.map((one, i) => compilePermission(one, `${path}.permissions[${i}]`, context));
  const principals = policy.principals.map((one, i) => compilePrincipal(one, `${path}.principals[${i}]`, context));
  return all([some(permissions), some(principals)]);
}

function refuse(present: boolean, path: string, faults: MatcherFault[]): void {
  if (present) faults.push({ path, message: "conditions in CEL are not supported; Istio does not write any" });
}

/** Finds the first policy that matches among those that can. */
class PolicyIndex {
  readonly #byKey = new Map<string, number[]>();
  /** Without anchors: tried for every request. */
  readonly #always: number[] = [];

  constructor(anchors: readonly (readonly string[] | null)[]) {
    for (const [place, keys] of anchors.entries()) {
      if (keys === null) this.#always.push(place);
      else for (const key of keys) this.#places(key).push(place);
    }
  }

  /** The lowest place for which `test` is true, or -1. */
  find<Key>(facts: PolicyFacts<Key>, test: (place: number) => boolean): number {
    if (this.#byKey.size === 0) return this.#always.find(test) ?? -1;
    const lists = [this.#always];
    for (const key of keysOf(facts as PolicyFacts<never>)) {
      const places = this.#byKey.get(key);
      if (places !== undefined) lists.push(places);
    }
    return firstOf(lists, test);
  }

  #places(key: string): number[] {
    const places = this.#byKey.get(key) ?? [];
    this.#byKey.set(key, places);
    return places;
  }
}

/** Goes through ascending lists together, in ascending order; what stands in two of them is tried once. */
function firstOf(lists: readonly (readonly number[])[], test: (place: number) => boolean): number {
  const next = lists.map(() => 0);
  for (;;) {
    let place = Number.POSITIVE_INFINITY;
    for (const [i, list] of lists.entries()) place = Math.min(place, list[next[i] as number] ?? place);
    if (place === Number.POSITIVE_INFINITY) return -1;
    if (test(place)) return place;
    for (const [i, list] of lists.entries()) if (list[next[i] as number] === place) next[i] = (next[i] as number) + 1;
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
