import type { FieldPath, PathKey } from "./field-path.ts";

/** Stable codes of what can be wrong with a message, its JSON or its bytes. */
export type FaultCode =
  | "WIRE_WRONG_TYPE" // the JSON value has another type than the field
  | "WIRE_OUT_OF_RANGE" // a number that the field cannot hold
  | "WIRE_BAD_FORMAT" // a string that does not parse: duration, timestamp, base64, number
  | "WIRE_UNKNOWN_FIELD"
  | "WIRE_UNKNOWN_ENUM_VALUE"
  | "WIRE_UNKNOWN_TYPE" // a type URL that is missing or in no known definition
  | "WIRE_TYPE_MISMATCH" // a known type, but not the wanted one
  | "WIRE_SET_TWICE" // two spellings of one field, or two members of a oneof
  | "WIRE_TOO_DEEP"
  | "WIRE_TOO_LARGE"
  | "WIRE_MALFORMED_BYTES"
  | "WIRE_RULE_BROKEN"; // the definition's own validation rules refuse the value

/** One thing that is wrong, and where. */
export interface Fault {
  readonly code: FaultCode;
  /** Field path with JSON names: `filterChains[0].filters[1].typedConfig.statPrefix`. Empty: the message itself. */
  readonly path: string;
  /** The same path with the keys as the source spells them, for looking up its line. */
  readonly keys: readonly PathKey[];
  /** What is wrong and, where it is known, the cure. Without the path. */
  readonly message: string;
}

/** A message, or everything found wrong with it. Test `faults` for undefined. */
export type Decoded<T> =
  | {
      readonly message: T;
      /** What was tolerated: unknown fields, if the caller asked for that. */
      readonly warnings: readonly Fault[];
      readonly faults?: undefined;
    }
  | { readonly message?: undefined; readonly faults: readonly Fault[] };

/** The fault as one line for people. */
export function formatFault(fault: Fault): string {
  return fault.path === "" ? fault.message : `${fault.path}: ${fault.message}`;
}

/** Collects faults up to a limit; hostile input has more of them than anyone will read. */
export class FaultList {
  readonly #limit: number;
  readonly #faults: Fault[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get faults(): readonly Fault[] {
    return this.#faults;
  }

  /** True once more faults would be dropped: stop looking. */
  get full(): boolean {
    return this.#faults.length >= this.#limit;
  }

  add(code: FaultCode, path: FieldPath, message: string): void {
    if (!this.full) this.#faults.push({ code, path: path.toString(), keys: path.keys(), message });
  }

  push(fault: Fault): void {
    if (!this.full) this.#faults.push(fault);
  }
}
