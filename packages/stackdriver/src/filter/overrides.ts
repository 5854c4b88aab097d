import type { ExpressionHandle, RootContext } from "@mixerless/sdk";
import type { MetricOverride } from "../config/plugin-config.ts";
import { METRIC_LABELS } from "../metrics/definitions.ts";

/** A label of one metric that an expression gives. */
export interface Override {
  /** The metric, without the prefix. */
  readonly metric: string;
  /** Of the label, in the order of all labels. */
  readonly place: number;
  readonly expression: ExpressionHandle;
}

/** Compiled; what does not compile leaves the label as it is, after a line in the log. */
export function compileOverrides(root: RootContext, overrides: ReadonlyMap<string, MetricOverride>): Override[] {
  return [...overrides].flatMap(([metric, { tags }]) =>
    tags.flatMap(([label, text]) => {
      const expression = root.expression(text);
      return expression === null ? [] : [{ metric, place: METRIC_LABELS.indexOf(label), expression }];
    }),
  );
}
