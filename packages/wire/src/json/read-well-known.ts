import { create } from "@bufbuild/protobuf";
import { protoSnakeCase } from "@bufbuild/protobuf/reflect";
import {
  type Duration,
  DurationSchema,
  type FieldMask,
  FieldMaskSchema,
  type Timestamp,
  TimestampSchema,
} from "@bufbuild/protobuf/wkt";
import { excerpt, Refusal, wrongType } from "./refusal.ts";

const mostDurationSeconds = 315_576_000_000;
const durationForm = /^(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/;
const timestampForm =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})$/;
const earliestTimestamp = Date.parse("0001-01-01T00:00:00Z");
const latestTimestamp = Date.parse("9999-12-31T23:59:59Z");

/** `"1.5s"`: seconds, at most nine decimals, the unit s and no other. */
export function readDuration(json: unknown): Duration | Refusal {
  if (typeof json !== "string") return wrongType('a duration such as "1.5s"', json);
  const [, sign, seconds = "", fraction = ""] = durationForm.exec(json) ?? [];
  if (sign === undefined) {
    return new Refusal("WIRE_BAD_FORMAT", `${excerpt(json)} is not a duration in seconds such as "1.5s" or "0.250s"`);
  }
  const direction = sign === "-" ? -1 : 1;
  const whole = Number(seconds);
  if (whole > mostDurationSeconds) {
    return new Refusal("WIRE_OUT_OF_RANGE", `${excerpt(json)} is longer than ${mostDurationSeconds} seconds`);
  }
  const nanos = direction * nanosOf(fraction);
  return create(DurationSchema, { seconds: BigInt(direction * whole), nanos: nanos + 0 });
}

/** RFC 3339, with an offset or Z. */
export function readTimestamp(json: unknown): Timestamp | Refusal {
  if (typeof json !== "string") return wrongType('a timestamp such as "2026-01-31T12:00:00Z"', json);
  const [, toSeconds = "", fraction = "", zone = ""] = timestampForm.exec(json) ?? [];
  const milliseconds = Date.parse(toSeconds + zone);
  if (Number.isNaN(milliseconds))
    return new Refusal("WIRE_BAD_FORMAT", `${excerpt(json)} is not an RFC 3339 timestamp`);
  if (milliseconds < earliestTimestamp || milliseconds > latestTimestamp) {
    return new Refusal("WIRE_OUT_OF_RANGE", `${excerpt(json)} is not between the years 1 and 9999`);
  }
  return create(TimestampSchema, { seconds: BigInt(milliseconds / 1000), nanos: nanosOf(fraction) });
}

/** Comma-separated lowerCamelCase paths. */
export function readFieldMask(json: unknown): FieldMask | Refusal {
  if (typeof json !== "string") return wrongType("field names separated by commas", json);
  if (json.includes("_"))
    return new Refusal("WIRE_BAD_FORMAT", "the names of a field mask are written in lowerCamelCase");
  return create(FieldMaskSchema, { paths: json === "" ? [] : json.split(",").map(protoSnakeCase) });
}

function nanosOf(fraction: string): number {
  return Number(fraction.padEnd(9, "0"));
}
