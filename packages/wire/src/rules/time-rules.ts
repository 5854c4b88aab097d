import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { durationJson, timestampJson } from "../json/write-well-known.ts";
import { always, type Check, compileRules, must, type RuleSet } from "./check.ts";
import { rangeChecks } from "./number-rules.ts";

/** Checks of DurationRules; `required` is the field's own affair. */
export function durationChecks(rules: RuleSet): Check[] {
  return timeChecks(rules, (operand) => durationJson(operand as Duration));
}

/** Checks of TimestampRules, without those that compare with the present: no definition uses them. */
export function timestampChecks(rules: RuleSet): Check[] {
  return timeChecks(rules, (operand) => timestampJson(operand as Timestamp));
}

function timeChecks(rules: RuleSet, show: (operand: unknown) => string): Check[] {
  const list = (operands: readonly unknown[]) => operands.map(show).join(", ");
  const members = compileRules(rules, {
    const: (operand: unknown) => must((value: unknown) => nanos(value) === nanos(operand), `must be ${show(operand)}`),
    in: (operand: readonly unknown[]) =>
      must((value: unknown) => operand.some((item) => nanos(item) === nanos(value)), `must be one of ${list(operand)}`),
    notIn: (operand: readonly unknown[]) =>
      must(
        (value: unknown) => !operand.some((item) => nanos(item) === nanos(value)),
        `must not be one of ${list(operand)}`,
      ),
    required: always,
    gt: always,
    gte: always,
    lt: always,
    lte: always,
  });
  return [...rangeChecks(rules, nanos, show), ...members];
}

function nanos(value: unknown): bigint {
  const time = value as Duration | Timestamp;
  return time.seconds * 1_000_000_000n + BigInt(time.nanos);
}
