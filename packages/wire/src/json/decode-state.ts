import { type FaultCode, FaultList } from "../fault.ts";
import type { FieldPath } from "../field-path.ts";
import { Refusal } from "./refusal.ts";

/** Bounds of one decoding. */
export interface JsonLimits {
  /** Messages inside one another, counted as in the wire form, where 100 is the usual limit of readers. */
  readonly depth: number;
  /** Values in all: every field, element and entry. */
  readonly values: number;
  /** Faults collected before decoding stops. */
  readonly faults: number;
}

/** Stands for a value that was not decoded; the fault is in the list already. */
export const failed: unique symbol = Symbol("failed");

/** What one decoding has found and used up so far. */
export class DecodeState {
  readonly faults: FaultList;
  readonly warnings: FaultList;
  /** Where unknown fields go: one of the two lists. */
  readonly unknownFields: FaultList;
  readonly #limits: JsonLimits;
  #depth = 0;
  #values = 0;

  constructor(limits: JsonLimits, unknownFields: "fault" | "warning") {
    this.#limits = limits;
    this.faults = new FaultList(limits.faults);
    this.warnings = new FaultList(limits.faults);
    this.unknownFields = unknownFields === "fault" ? this.faults : this.warnings;
  }

  /** True once nothing more is worth reading. */
  get stopped(): boolean {
    return this.faults.full || this.#values > this.#limits.values;
  }

  /** Runs `read` that many levels deeper, or refuses if that is too deep. */
  nested<T>(path: FieldPath, levels: number, read: () => T): T | typeof failed {
    if (this.#depth + levels > this.#limits.depth)
      return this.fault("WIRE_TOO_DEEP", path, `more than ${this.#limits.depth} levels`);
    this.#depth += levels;
    const value = read();
    this.#depth -= levels;
    return value;
  }

  /** Counts one value; false if it is one too many. */
  count(path: FieldPath): boolean {
    if (this.stopped) return false;
    this.#values++;
    if (!this.stopped) return true;
    this.fault("WIRE_TOO_LARGE", path, `more than ${this.#limits.values} values in all`);
    return false;
  }

  /** The value itself, unless it is a refusal: then that becomes a fault. */
  taken<T>(value: T | Refusal, path: FieldPath): T | typeof failed {
    return value instanceof Refusal ? this.fault(value.code, path, value.message) : value;
  }

  refuse(path: FieldPath, refusal: Refusal): typeof failed {
    return this.fault(refusal.code, path, refusal.message);
  }

  fault(code: FaultCode, path: FieldPath, message: string): typeof failed {
    this.faults.add(code, path, message);
    return failed;
  }
}
