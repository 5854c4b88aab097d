import { histogramQuantile } from "./histogram-quantile.ts";
import { type Expression, type Matcher, parsePromql } from "./promql-subset.ts";

export type Labels = Readonly<Record<string, string>>;

/** A value that is known, or known to lie between two others. */
export interface Expected {
  readonly labels: Labels;
  readonly low: number;
  readonly high: number;
}

/** What the load generator knows: for each metric its series, as rates for counters and as bounds for quantiles. */
export interface Ledger {
  series(metric: string): readonly Expected[];
}

/** The answer that the ledger stands for, worked out without Prometheus. */
export function expectation(query: string, ledger: Ledger): Expected[] {
  const value = evaluate(parsePromql(query), ledger);
  if (typeof value === "number") throw new Error(`${query} is a number, not a vector`);
  return value;
}

type Value = Expected[] | number;

function evaluate(expression: Expression, ledger: Ledger): Value {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "text":
      throw new Error("a text has no value");
    case "selector":
      return ledger.series(expression.metric).filter(({ labels }) => expression.matchers.every((m) => fits(m, labels)));
    case "sum":
      return sum(vector(expression.of, ledger), expression.by);
    case "call":
      return call(expression.name, expression.args, ledger);
    case "binary":
      return binary(expression.operator, evaluate(expression.left, ledger), evaluate(expression.right, ledger));
  }
}

function vector(expression: Expression | undefined, ledger: Ledger): Expected[] {
  const value = expression === undefined ? 0 : evaluate(expression, ledger);
  if (typeof value === "number") throw new Error("a vector was expected");
  return value;
}

/** A pattern matches as a whole, as in Prometheus; a label that is missing is empty. */
function fits({ label, operator, value }: Matcher, labels: Labels): boolean {
  const found = labels[label] ?? "";
  const equal = operator.endsWith("~") ? new RegExp(`^(?:${value})$`).test(found) : found === value;
  return operator.startsWith("!") ? !equal : equal;
}

function call(name: string, args: readonly Expression[], ledger: Ledger): Expected[] {
  const [first, second] = args;
  switch (name) {
    case "rate":
    case "irate":
      return vector(first, ledger);
    case "round":
      return vector(first, ledger);
    case "vector":
      return first?.kind === "number" ? [{ labels: {}, low: first.value, high: first.value }] : [];
    case "histogram_quantile":
      return quantiles(first, vector(second, ledger));
    case "label_join":
      return labelJoin(vector(first, ledger), args.slice(1).map(text));
    default:
      throw new Error(`${name} is not used by the dashboards that were known`);
  }
}

/** Sums of rates differ in the last digits by their order: a rank at a bound may fall on either side of it. */
const RANK_SLACK = 1e-9;

/** From buckets if the ledger has them; a ledger without `le` gives bounds of the quantiles themselves. */
function quantiles(quantile: Expression | undefined, series: Expected[]): Expected[] {
  if (quantile?.kind !== "number") throw new Error("a quantile was expected");
  if (series.every(({ labels }) => labels.le === undefined)) return series;
  const groups = new Map<string, { labels: Labels; buckets: { bound: number; count: number }[] }>();
  for (const { labels, low } of series) {
    const { le, ...others } = labels;
    const key = keyOf(others);
    const group = groups.get(key) ?? { labels: others, buckets: [] };
    group.buckets.push({ bound: le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le), count: low });
    groups.set(key, group);
  }
  return [...groups.values()].map(({ labels, buckets }) => ({
    labels,
    low: histogramQuantile(quantile.value - RANK_SLACK, buckets),
    high: histogramQuantile(quantile.value + RANK_SLACK, buckets),
  }));
}

function text(expression: Expression): string {
  if (expression.kind !== "text") throw new Error("a text was expected");
  return expression.value;
}

function labelJoin(
  series: readonly Expected[],
  [target = "", separator = "", ...names]: readonly string[],
): Expected[] {
  return series.map((entry) => ({
    ...entry,
    labels: { ...entry.labels, [target]: names.map((name) => entry.labels[name] ?? "").join(separator) },
  }));
}

/** Bounds of a quantile do not add up: the sum of histograms has the widest of them. */
function sum(series: readonly Expected[], by: readonly string[]): Expected[] {
  const groups = new Map<string, Expected>();
  for (const { labels, low, high } of series) {
    const kept = Object.fromEntries(
      by.filter((name) => (labels[name] ?? "") !== "").map((name) => [name, labels[name] ?? ""]),
    );
    const key = keyOf(kept);
    const before = groups.get(key);
    if (before === undefined) groups.set(key, { labels: kept, low, high });
    else if (isBound(before) || low !== high)
      groups.set(key, { labels: kept, low: Math.min(before.low, low), high: Math.max(before.high, high) });
    else groups.set(key, { labels: kept, low: before.low + low, high: before.high + high });
  }
  return [...groups.values()];
}

function isBound({ low, high }: Expected): boolean {
  return low !== high;
}

function binary(operator: string, left: Value, right: Value): Expected[] {
  if (typeof left === "number") throw new Error("the left side is a vector in every dashboard");
  if (typeof right === "number") return withNumber(operator, left, right);
  const others = new Map(right.map((entry) => [keyOf(entry.labels), entry]));
  const mine = new Set(left.map(({ labels }) => keyOf(labels)));
  switch (operator) {
    case "or":
      return [...left, ...right.filter(({ labels }) => !mine.has(keyOf(labels)))];
    case "or on ()":
      return left.length > 0 ? left : right;
    case "/":
    case "+":
      return left.flatMap((entry) => {
        const other = others.get(keyOf(entry.labels));
        if (other === undefined) return [];
        const value = operator === "/" ? entry.low / other.low : entry.low + other.low;
        return [{ labels: entry.labels, low: value, high: value }];
      });
    default:
      throw new Error(`${operator} between vectors`);
  }
}

function withNumber(operator: string, left: readonly Expected[], right: number): Expected[] {
  if (operator === ">") return left.filter(({ high }) => high > right);
  if (operator !== "/") throw new Error(`${operator} with a number`);
  return left.map(({ labels, low, high }) => ({ labels, low: low / right, high: high / right }));
}

/** Labels as text, whatever their order; empty ones are not there. */
export function keyOf(labels: Labels): string {
  const entries = Object.entries(labels).filter(([name, value]) => value !== "" && name !== "__name__");
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
