import { Abnormal, attributeEnvironment, compileExpression, describeFaults, type Result } from "@mixerless/expression";
import type { Counter, MetricStore } from "@mixerless/metrics";
import type { AttributeSource } from "../extension-host/attributes/attribute.ts";
import { AttributeValues } from "./attribute-values.ts";
import type { StateReaderTable } from "./state-reader.ts";

/** A compiled expression. Failures are counted. */
export type Expression = (source: AttributeSource) => Result;

export type CompiledExpression =
  | { readonly evaluate: Expression; readonly problem?: undefined }
  | { readonly evaluate?: undefined; readonly problem: string };

/** Texts are labels: of long ones their beginning has to do. */
const LONGEST_LABEL = 128;

/**
 * Compiles the expressions of configurations for one proxy. As Envoy does, it takes whatever parses and calls only
 * functions that there are; whether attributes and types are right shows for each stream.
 */
export class Expressions {
  readonly #environment = attributeEnvironment(true);
  readonly #attributes: AttributeValues;
  readonly #failures: ReturnType<MetricStore["counter"]>;

  constructor(metrics: MetricStore, states: StateReaderTable = {}) {
    this.#attributes = new AttributeValues(this.#environment, states);
    this.#failures = metrics.counter({
      name: "mixerless_expression_errors_total",
      help: "Evaluations of CEL expressions that gave no value, by the expression.",
    });
  }

  /** `use` says what for, e.g. `stats`; `shown` is what failures are counted under. */
  compile(text: string, use: string, shown = text): CompiledExpression {
    const { program, faults } = compileExpression(text, this.#environment, this.#attributes, { checks: "functions" });
    if (faults !== undefined) return { problem: describeFaults(faults) };
    let failures: Counter | null = null;
    return {
      evaluate: (source) => {
        const result = program.evaluate(source);
        if (result instanceof Abnormal) {
          failures ??= this.#failures.series(["expression", "use"], [labelText(shown), use]);
          failures.add(1);
        }
        return result;
      },
    };
  }
}

/** A byte string, as labels are. */
function labelText(text: string): string {
  return Buffer.from(text.slice(0, LONGEST_LABEL), "utf8").toString("latin1");
}
