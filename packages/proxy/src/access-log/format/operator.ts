import type { Clock } from "@mixerless/clock";
import type { StreamExpressions } from "../../expression/stream-expressions.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";

/** What formats are made with. */
export interface FormatParts {
  readonly clock: Clock;
  /** Null where expressions have no place: in header values. */
  readonly expressions: StreamExpressions | null;
}

/** What an operator gives for one stream. Null: there is no such value. Strings are byte strings. */
export type OperatorValue = string | number | boolean | null | object;

/** One `%OPERATOR(arguments)%`, compiled. */
export type Operator = (info: StreamInfo) => OperatorValue;

/** Makes an operator of the text between its brackets; a string is the reason why it cannot. `args` is null without brackets. */
export type OperatorFactory = (args: string | null) => Operator | string;

export type OperatorTable = Readonly<Record<string, OperatorFactory>>;

/** A piece of a format: literal text or an operator with the longest text that it may give. */
export type Segment = string | { readonly read: Operator; readonly maxLength: number };

export interface ParsedFormat {
  readonly segments: readonly Segment[];
  readonly faults: readonly ConfigFault[];
}

/** An operator without arguments. */
export function plain(read: Operator): OperatorFactory {
  return (args) => (args === null ? read : "takes no argument");
}
