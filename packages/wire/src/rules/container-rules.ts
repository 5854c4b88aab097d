import type { FieldRules, MapRules, RepeatedRules } from "#generated/validate/validate_pb.js";
import { MapRulesSchema, RepeatedRulesSchema } from "#generated/validate/validate_pb.js";
import { always, type Check, compileRules, must, ruleSet, unlessEmpty } from "./check.ts";

type List = readonly unknown[];
type Entries = Readonly<Record<string, unknown>>;

/** Checks of a list or a map as a whole; its elements have rules of their own. */
export function containerChecks(rules: FieldRules | undefined): Check[] {
  if (rules?.type.case === "repeated") return listChecks(rules.type.value);
  return rules?.type.case === "map" ? mapChecks(rules.type.value) : [];
}

function listChecks(rules: RepeatedRules): Check[] {
  const set = ruleSet(RepeatedRulesSchema, rules);
  const checks = compileRules(set, {
    minItems: (n: bigint) =>
      must((list: List) => list.length >= Number(n), `must have at least ${n} ${items(n, "element")}`),
    maxItems: (n: bigint) =>
      must((list: List) => list.length <= Number(n), `must have at most ${n} ${items(n, "element")}`),
    unique: (on: boolean) =>
      on ? must((list: List) => new Set(list).size === list.length, "must not hold a value twice") : always(),
    items: always,
    ignoreEmpty: always,
  });
  return unlessEmpty(set, (value) => (value as List).length === 0, checks);
}

function mapChecks(rules: MapRules): Check[] {
  const set = ruleSet(MapRulesSchema, rules);
  const size = (entries: Entries) => Object.keys(entries).length;
  const checks = compileRules(set, {
    minPairs: (n: bigint) =>
      must((entries: Entries) => size(entries) >= Number(n), `must have at least ${n} ${items(n, "entr")}`),
    maxPairs: (n: bigint) =>
      must((entries: Entries) => size(entries) <= Number(n), `must have at most ${n} ${items(n, "entr")}`),
    // Sparse maps, with keys that have no message, cannot be expressed in JavaScript's form.
    noSparse: always,
    keys: always,
    values: always,
    ignoreEmpty: always,
  });
  return unlessEmpty(set, (value) => size(value as Entries) === 0, checks);
}

function items(n: bigint, word: "element" | "entr"): string {
  if (word === "element") return n === 1n ? "element" : "elements";
  return n === 1n ? "entry" : "entries";
}
