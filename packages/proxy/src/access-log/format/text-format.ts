import type { StreamInfo } from "../../stream/stream-info.ts";
import type { OperatorValue, Segment } from "./operator.ts";

/** Prints one stream. Byte strings. */
export type LineFormat = (info: StreamInfo) => string;

/** Concatenates; `missing` stands for values that are not there: `-`, or nothing with `omit_empty_values`. */
export function createTextFormat(segments: readonly Segment[], missing: string): LineFormat {
  return (info) => {
    let line = "";
    for (const segment of segments) line += typeof segment === "string" ? segment : segmentText(segment, info, missing);
    return line;
  };
}

function segmentText(segment: Exclude<Segment, string>, info: StreamInfo, missing: string): string {
  const value = segment.read(info);
  if (value === null) return missing;
  const text = valueText(value);
  // Objects print as JSON and ignore the limit [telemetry §6.3].
  return text.length > segment.maxLength && typeof value !== "object" ? text.slice(0, segment.maxLength) : text;
}

function valueText(value: Exclude<OperatorValue, null>): string {
  if (typeof value === "string") return value;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
