// CEL in configuration. What no data plane could evaluate is refused. Types and names of attributes are checked too, but a
// wrong one is a warning: Istio takes it, and a filter of the user's own may leave an attribute behind that nobody declared.
import {
  attributeEnvironment,
  type Compiled,
  compileExpression,
  describeFaults,
  type Type,
} from "@mixerless/expression";
import type { Cursor } from "../schema/cursor.ts";

const ATTRIBUTES = { resolve: () => () => undefined };
const STRICT = attributeEnvironment(false);
const OPEN = attributeEnvironment(true);

/** What prints as the value of a label. */
const PRINTABLE = new Set([
  "string",
  "int",
  "uint",
  "double",
  "bool",
  "bytes",
  "timestamp",
  "duration",
  "dyn",
  "wrapper",
]);

/** An expression that gives a label its value. */
export function checkLabelExpression(text: string, at: Cursor): void {
  const { program } = checkExpression(text, at, "The label reads unknown.");
  if (program !== undefined && !PRINTABLE.has(program.type.kind)) {
    const message = `This gives a ${name(program.type)}, which is no value of a label. The label reads unknown.`;
    at.warn("unprintable-expression", message, "Choose a text, a number or a truth value of it.");
  }
}

/** An expression that says what is logged. */
export function checkLogExpression(text: string, at: Cursor): void {
  const { program } = checkExpression(text, at, "Nothing is logged.");
  if (program !== undefined && !["bool", "dyn", "wrapper"].includes(program.type.kind)) {
    const message = `This gives a ${name(program.type)}; only what is true is logged, so nothing is.`;
    at.warn("not-a-condition", message, "Compare it with something.");
  }
}

function checkExpression(text: string, at: Cursor, consequence: string): Partial<Compiled<unknown>> {
  const compiled = compileExpression(text, OPEN, ATTRIBUTES, { checks: "functions" });
  if (compiled.faults !== undefined) {
    at.error(
      "bad-expression",
      `This is no CEL expression: ${describeFaults(compiled.faults)}.`,
      "Correct it; a fixed text stands in quotes of its own.",
    );
    return {};
  }
  const checked = compileExpression(text, STRICT, ATTRIBUTES);
  if (checked.faults !== undefined) {
    at.warn(
      "doubtful-expression",
      `${describeFaults(checked.faults)}. ${consequence}`,
      "Correct it by the reference of attributes; a fixed text stands in quotes of its own.",
    );
  }
  return checked;
}

function name({ kind }: Type): string {
  return kind === "param" ? "value of any type" : kind;
}
