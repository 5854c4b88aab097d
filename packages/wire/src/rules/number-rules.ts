import { always, type Check, compileRules, must, type RuleSet, unlessEmpty } from "./check.ts";

type Numeric = number | bigint;

/** Checks of the numeric rules; `value` and operands are numbers, or bigints for the 64-bit types. */
export function numberChecks(rules: RuleSet): Check[] {
  return unlessEmpty(rules, (value) => Number(value) === 0, [...rangeChecks(rules, toNumeric), ...memberChecks(rules)]);
}

/** Checks of lt, lte, gt, gte over whatever `toComparable` makes of values and operands. */
export function rangeChecks(
  rules: RuleSet,
  toComparable: (value: unknown) => Numeric,
  show: (operand: unknown) => string = String,
): Check[] {
  const checks: Check[] = [];
  const add = (name: string, words: string, holds: (value: Numeric, bound: Numeric) => boolean) => {
    const operand = rules.get(name);
    if (operand === undefined) return;
    const bound = toComparable(operand);
    checks.push(must((value: unknown) => holds(toComparable(value), bound), `must be ${words} ${show(operand)}`));
  };
  add("gt", "greater than", (value, bound) => value > bound);
  add("gte", "at least", (value, bound) => value >= bound);
  add("lt", "less than", (value, bound) => value < bound);
  add("lte", "at most", (value, bound) => value <= bound);
  return checks;
}

function memberChecks(rules: RuleSet): Check[] {
  return compileRules(rules, {
    const: (operand: Numeric) => must((value: Numeric) => value === operand, `must be ${operand}`),
    in: (operand: readonly Numeric[]) =>
      must((value: Numeric) => operand.includes(value), `must be one of ${operand.join(", ")}`),
    notIn: (operand: readonly Numeric[]) =>
      must((value: Numeric) => !operand.includes(value), `must not be one of ${operand.join(", ")}`),
    gt: always,
    gte: always,
    lt: always,
    lte: always,
    ignoreEmpty: always,
  });
}

function toNumeric(value: unknown): Numeric {
  return value as Numeric;
}
