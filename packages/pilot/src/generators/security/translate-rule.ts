import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PolicySchema } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import type { AuthorizationRule } from "../../config/kinds/security.ts";
import type { Alternatives, Permission, Principal, RuleFacts } from "./alternatives.ts";
import { type Condition, conditionOf } from "./conditions.ts";
import { OPERATION_FIELDS, type RuleField, SOURCE_FIELDS } from "./rule-fields.ts";

export type RbacPolicy = MessageInitShape<typeof PolicySchema>;

/** A part of a rule that no data plane could enforce, by its field path in the object. */
export interface RuleProblem {
  readonly path: string;
  readonly message: string;
}

export interface TranslatedRule {
  /** The rule without the parts that could not be had. */
  readonly policy: RbacPolicy;
  /** Whether parts are missing, so that it matches more than was meant. */
  readonly widened: boolean;
  readonly problems: readonly RuleProblem[];
}

/** One list of a rule, as the policies write it. */
interface List<T> {
  readonly at: string;
  readonly values: readonly string[];
  readonly negated: boolean;
  readonly httpOnly: boolean;
  readonly alternatives: Alternatives<T>;
}

/** Matches nothing: what a policy without rules becomes. */
export const NEVER: RbacPolicy = {
  permissions: [{ rule: { case: "notRule", value: { rule: { case: "any", value: true } } } }],
  principals: [{ identifier: { case: "notId", value: { identifier: { case: "any", value: true } } } }],
};

/**
 * One rule as an RBAC policy [control-plane §6.3]. A connection without requests knows nothing of HTTP, so
 * what asks for it is left out there.
 */
export function translateRule(
  rule: AuthorizationRule,
  path: string,
  facts: RuleFacts,
  transport: "http" | "tcp",
): TranslatedRule {
  const problems: RuleProblem[] = unknownKeys(rule, path);
  let widened = problems.length > 0;
  const matchers = <T>(lists: readonly List<T>[], not: (one: T) => T, or: (many: T[]) => T): T[] =>
    lists.flatMap(({ at, values, negated, httpOnly, alternatives }) => {
      if (values.length === 0) return [];
      const made = httpOnly && transport === "tcp" ? null : alternatives(values, facts);
      if (made !== null && "problem" in made) problems.push({ path: at, message: made.problem });
      if (made === null || "problem" in made) {
        widened = true;
        return [];
      }
      return [negated ? not(or([...made])) : or([...made])];
    });
  const permissions = alternativesOf(rule.to).map((operation, i) => {
    const own = operation === null ? [] : listsOf(OPERATION_FIELDS, operation, `${path}.to[${i}].operation`);
    return allRules(matchers([...own, ...conditions(rule, path, ({ permission }) => permission)], notRule, orRules));
  });
  const principals = alternativesOf(rule.from).map((source, i) => {
    const own = source === null ? [] : listsOf(SOURCE_FIELDS, source, `${path}.from[${i}].source`);
    return allIds(matchers([...own, ...conditions(rule, path, ({ principal }) => principal)], notId, orIds));
  });
  return { policy: { permissions, principals }, widened, problems: distinct(problems) };
}

function unknownKeys(rule: AuthorizationRule, path: string): RuleProblem[] {
  return rule.when.flatMap(({ key }, i) =>
    conditionOf(key) === undefined
      ? [{ path: `${path}.when[${i}].key`, message: `${JSON.stringify(key)} names nothing that can be asked` }]
      : [],
  );
}

function listsOf<T, F extends string>(
  fields: readonly RuleField<F, T>[],
  written: Readonly<Record<F, readonly string[]>>,
  path: string,
): List<T>[] {
  return fields.flatMap(({ field, not, httpOnly, alternatives }) => [
    { at: `${path}.${field}`, values: written[field], negated: false, httpOnly, alternatives },
    { at: `${path}.${not}`, values: written[not], negated: true, httpOnly, alternatives },
  ]);
}

/** The lists of `when` that are about one side of the rule. */
function conditions<T>(
  rule: AuthorizationRule,
  path: string,
  side: (condition: Condition) => Alternatives<T> | null,
): List<T>[] {
  return rule.when.flatMap(({ key, values, notValues }, i) => {
    const condition = conditionOf(key);
    const alternatives = condition === undefined ? null : side(condition);
    if (condition === undefined || alternatives === null) return [];
    const { httpOnly } = condition;
    return [
      { at: `${path}.when[${i}].values`, values, negated: false, httpOnly, alternatives },
      { at: `${path}.when[${i}].notValues`, values: notValues, negated: true, httpOnly, alternatives },
    ];
  });
}

/** A part that is not there is always true. */
function alternativesOf<T>(list: readonly T[]): readonly (T | null)[] {
  return list.length === 0 ? [null] : list;
}

/** A condition stands in each alternative; what is wrong with it is told once. */
function distinct(problems: readonly RuleProblem[]): RuleProblem[] {
  return problems.filter((problem, i) => problems.findIndex(({ path }) => path === problem.path) === i);
}

function allRules(rules: Permission[]): Permission {
  const any: Permission = { rule: { case: "any", value: true } };
  return { rule: { case: "andRules", value: { rules: rules.length === 0 ? [any] : rules } } };
}

function orRules(rules: Permission[]): Permission {
  return { rule: { case: "orRules", value: { rules } } };
}

function notRule(rule: Permission): Permission {
  return { rule: { case: "notRule", value: rule } };
}

function allIds(ids: Principal[]): Principal {
  const any: Principal = { identifier: { case: "any", value: true } };
  return { identifier: { case: "andIds", value: { ids: ids.length === 0 ? [any] : ids } } };
}

function orIds(ids: Principal[]): Principal {
  return { identifier: { case: "orIds", value: { ids } } };
}

function notId(id: Principal): Principal {
  return { identifier: { case: "notId", value: id } };
}
