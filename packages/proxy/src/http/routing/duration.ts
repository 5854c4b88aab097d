import type { Duration } from "@bufbuild/protobuf/wkt";

/** Milliseconds with a fraction; null where the field is not set. */
export function milliseconds(duration: Duration | undefined): number | null {
  return duration === undefined ? null : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}
