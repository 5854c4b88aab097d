import { type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import { fieldValue } from "../local-value.ts";

/** Says what a value breaks ("must not be empty"), or undefined if it is fine. */
export type Check = (value: unknown) => string | undefined;

/** The rules that are set in one rules message (StringRules, …), by local name. */
export type RuleSet = ReadonlyMap<string, unknown>;

/** Reads a rules message. Only rules that are set count: a minimum of 0 is not the absence of a minimum. */
export function ruleSet(schema: DescMessage, rules: Message): RuleSet {
  const set = new Map<string, unknown>();
  for (const field of schema.fields) {
    if (isFieldSet(rules, field)) set.set(field.localName, fieldValue(rules, field));
  }
  return set;
}

/** Turns each rule into a check by the table. Throws on a rule that the table lacks: a definition of a newer kind. */
export function compileRules(rules: RuleSet, table: Readonly<Record<string, (operand: never) => Check>>): Check[] {
  return [...rules].map(([name, operand]) => {
    const compile = table[name];
    if (compile === undefined) throw new Error(`the validation rule ${name} has no interpreter`);
    return compile(operand as never);
  });
}

/** Applies `checks` unless the value is its type's zero value and the rules say that this is fine. */
export function unlessEmpty(rules: RuleSet, isEmpty: (value: unknown) => boolean, checks: readonly Check[]): Check[] {
  if (rules.get("ignoreEmpty") !== true) return [...checks];
  return checks.map((check) => (value) => (isEmpty(value) ? undefined : check(value)));
}

/** A check from a condition and the words for its failure. */
export function must(holds: (value: never) => boolean, otherwise: string): Check {
  return (value) => (holds(value as never) ? undefined : otherwise);
}

/** For `ignore_empty` and other settings that are no checks themselves. */
export function always(): Check {
  return () => undefined;
}
