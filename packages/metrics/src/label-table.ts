import { cleanLabelValue } from "./byte-string.ts";
import { LabelSet } from "./label-set.ts";
import type { LabelShape } from "./label-shape.ts";
import { LABEL_VALUE_LIMIT } from "./limits.ts";

/**
 * The label sets of one store. A request counter and its three histograms have equal labels: they
 * share one object and so one key and one text.
 */
export class LabelTable {
  readonly #sets = new Map<string, LabelSet>();
  /** Values shortened by the last {@link key}. */
  cut = 0;

  get size(): number {
    return this.#sets.size;
  }

  /** The key of `values` under the names of `shape`; see {@link LabelSet.key}. */
  key(shape: LabelShape, values: readonly string[]): string {
    const { bytes } = shape.scratch;
    let at = 0;
    this.cut = 0;
    for (const { index, marker } of shape.sorted) {
      const value = values[index];
      if (value === undefined || value.length === 0) continue;
      for (let i = 0; i < marker.length; i++) bytes[at++] = marker.charCodeAt(i);
      const end = value.length <= LABEL_VALUE_LIMIT ? copyPlain(value, bytes, at) : -1;
      at = end >= 0 ? end : this.#copyCleaned(value, bytes, at);
    }
    return bytes.toString("latin1", 0, at);
  }

  /** The shared object for a key, counted as used once more. */
  acquire(shape: LabelShape, key: string): LabelSet {
    let set = this.#sets.get(key);
    // Equal labels in another order, or with other empty ones, print another text.
    if (set !== undefined && set.shape !== shape) return new LabelSet(shape, key);
    if (set === undefined) {
      set = new LabelSet(shape, key);
      this.#sets.set(key, set);
    }
    set.uses++;
    return set;
  }

  release(set: LabelSet): void {
    // One that isn't shared goes below 0 and leaves the table alone.
    if (--set.uses === 0) this.#sets.delete(set.key);
  }

  #copyCleaned(value: string, target: Buffer, at: number): number {
    const { bytes, cut } = cleanLabelValue(value);
    if (cut) this.cut++;
    return at + target.write(bytes, at, "latin1");
  }
}

/** Copies printable ASCII; -1 if there is anything else. */
function copyPlain(value: string, bytes: Buffer, at: number): number {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return -1;
    bytes[at + i] = code;
  }
  return at + value.length;
}
