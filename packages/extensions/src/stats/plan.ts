import { LOG_WARN, RootContext } from "@mixerless/sdk";
import { MetricDefinition, MetricOverride, StatsConfig } from "./config.ts";
import { createDimension, Dimension } from "./dimension.ts";
import { LABELS } from "./labels.ts";
import {
  COUNTER,
  customMetric,
  FIRST_CUSTOM,
  findMetric,
  GAUGE,
  HISTOGRAM,
  Metric,
  REMOVED,
  standardMetrics,
} from "./metrics.ts";

/** What is measured: the metrics, their labels, and the expressions that these need. */
export class Plan {
  /** The standard metrics, then the custom ones. */
  readonly metrics: Metric[] = standardMetrics();
  /** Values of custom metrics, parallel to the custom part of {@link metrics}. */
  readonly customValues: Dimension[] = [];
  /** Values of labels that configuration describes. */
  readonly dimensions: Dimension[] = [];
}

/** Never fails: what cannot be used is logged and left out, as upstream does. */
export function createPlan(root: RootContext, config: StatsConfig): Plan {
  const plan = new Plan();
  for (let i: i32 = 0; i < config.definitions.length; i++) define(root, plan, config.definitions[i]!);
  for (let i: i32 = 0; i < config.metrics.length; i++) apply(root, plan, config.metrics[i]!);
  return plan;
}

function define(root: RootContext, plan: Plan, definition: MetricDefinition): void {
  const problem = definitionProblem(plan, definition.name);
  if (problem.length > 0) {
    root.log(LOG_WARN, `stats: definition "${definition.name}" is ignored: ${problem}`);
    return;
  }
  const value = createDimension(root, definition.value);
  if (value === null) {
    root.log(LOG_WARN, `stats: definition "${definition.name}" is ignored: "${definition.value}" does not parse`);
    return;
  }
  plan.metrics.push(customMetric(definition.name, typeOf(definition.type)));
  plan.customValues.push(value);
}

function definitionProblem(plan: Plan, name: string): string {
  if (name.length === 0) return "it has no name";
  const known = findMetric(plan.metrics, name);
  if (known === null) return "";
  return plan.metrics.indexOf(known) < FIRST_CUSTOM ? "this is a standard metric" : "it is defined twice";
}

function apply(root: RootContext, plan: Plan, entry: MetricOverride): void {
  if (entry.drop) {
    dropMetric(root, plan, entry.name);
    return;
  }
  if (entry.name.length > 0 && findMetric(plan.metrics, entry.name) === null) {
    root.log(LOG_WARN, `stats: no metric "${entry.name}"; its overrides are ignored`);
    return;
  }
  for (let i: i32 = 0; i < entry.tagsToRemove.length; i++) removeTag(root, plan, entry.name, entry.tagsToRemove[i]!);
  for (let i: i32 = 0; i < entry.tags.length; i++) {
    setTag(root, plan, entry.name, entry.tags[i]!, entry.expressions[i]!);
  }
}

/** Only a standard metric can be dropped; the rest of such an entry has no meaning. */
function dropMetric(root: RootContext, plan: Plan, name: string): void {
  const metric = findMetric(plan.metrics, name);
  if (metric !== null && plan.metrics.indexOf(metric) < FIRST_CUSTOM) {
    metric.dropped = true;
    return;
  }
  root.log(LOG_WARN, `stats: "${name}" is not a standard metric and cannot be dropped`);
}

function removeTag(root: RootContext, plan: Plan, name: string, tag: string): void {
  if (!LABELS.includes(tag)) {
    root.log(LOG_WARN, `stats: "${tag}" is not a standard label and cannot be removed`);
    return;
  }
  for (let i: i32 = 0; i < plan.metrics.length; i++) {
    if (isMeant(plan.metrics[i]!, name)) plan.metrics[i]!.remove(tag);
  }
}

function setTag(root: RootContext, plan: Plan, name: string, tag: string, text: string): void {
  const source: i32 = sourceOf(root, plan, text);
  if (source === REMOVED) root.log(LOG_WARN, `stats: "${text}" for label "${tag}" does not parse`);
  for (let i: i32 = 0; i < plan.metrics.length; i++) {
    const metric = plan.metrics[i]!;
    if (!isMeant(metric, name)) continue;
    if (source !== REMOVED) metric.set(tag, source);
    // A standard label whose expression does not parse disappears; a new one never comes.
    else metric.remove(tag);
  }
}

/** The index of the expression's value among the values of a series; {@link REMOVED} if it does not parse. */
function sourceOf(root: RootContext, plan: Plan, text: string): i32 {
  for (let i: i32 = 0; i < plan.dimensions.length; i++) {
    if (plan.dimensions[i]!.text === text) return LABELS.length + i;
  }
  const dimension = createDimension(root, text);
  if (dimension === null) return REMOVED;
  plan.dimensions.push(dimension);
  return LABELS.length + plan.dimensions.length - 1;
}

function isMeant(metric: Metric, name: string): boolean {
  return name.length === 0 || metric.name === `istio_${name}`;
}

function typeOf(name: string): i32 {
  if (name === "GAUGE" || name === "1") return GAUGE;
  return name === "HISTOGRAM" || name === "2" ? HISTOGRAM : COUNTER;
}
