import type { StreamContext } from "./context.ts";
import type { Property, StateName } from "./names.ts";

type Key = string | number | null;
type Level<V> = Map<Key, Level<V> | V>;

/** The record that was found last among those with the same first text, and its values. */
interface Recent<V> {
  readonly keys: Key[];
  value: V;
}

/**
 * Finds a record by the raw values of a stream, so that label texts are made only for a combination that was not seen
 * before. Use: `begin`, then the same sequence of `add…` each time, then `find`, and on null `put`.
 *
 * Holds at most `capacity` records and forgets all of them when one more would come: the owner of the series is the
 * host, a record that is made again gets the same series.
 */
export class TupleTable<V> {
  readonly #capacity: number;
  readonly #keys: Key[] = [];
  readonly #recent = new Map<string, Recent<V>>();
  #root: Level<V> = new Map();
  #length = 0;
  #size = 0;

  constructor(capacity: i32) {
    this.#capacity = capacity;
  }

  /** The number of records. */
  get size(): i32 {
    return this.#size;
  }

  /** Begins the values of a search. */
  begin(): void {
    this.#length = 0;
  }

  /** True if the value is there and not empty. */
  addString(stream: StreamContext, property: Property): boolean {
    return this.addText(stream.host.getString(property));
  }

  /** True if the value is there and not empty. */
  addState(stream: StreamContext, name: StateName): boolean {
    return this.addText(stream.host.getState(name));
  }

  /** True if the value is there and not empty. */
  addText(value: string | null): boolean {
    this.#keys[this.#length++] = value;
    return value !== null && value.length > 0;
  }

  /** Must not be NaN. */
  addNumber(value: f64): void {
    this.#keys[this.#length++] = value;
  }

  /** Takes back the last `count` values. */
  back(count: i32): void {
    this.#length -= count;
  }

  /** The record of the values added since `begin`, or null. */
  find(): V | null {
    // One step and some comparisons for the usual case, that a peer's stream is like its last one.
    const first = this.#firstText();
    const recent = this.#recent.get(first);
    if (recent !== undefined && this.#equals(recent.keys)) return recent.value;
    const found = this.#search();
    if (found !== null) this.#remember(first, recent, found);
    return found;
  }

  #search(): V | null {
    const last = this.#length - 1;
    let level = this.#root;
    for (let i = 0; i < last; i++) {
      const next = level.get(this.#keys[i]!);
      if (next === undefined) return null;
      level = next as Level<V>;
    }
    const found = level.get(this.#keys[last]!);
    return found === undefined ? null : (found as V);
  }

  #firstText(): string {
    for (let i = 0; i < this.#length; i++) {
      const key = this.#keys[i];
      if (typeof key === "string") return key;
    }
    return "";
  }

  #equals(keys: readonly Key[]): boolean {
    if (keys.length !== this.#length) return false;
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] !== this.#keys[i]) return false;
    }
    return true;
  }

  #remember(first: string, recent: Recent<V> | undefined, value: V): void {
    if (recent === undefined || recent.keys.length !== this.#length) {
      this.#recent.set(first, { keys: this.#keys.slice(0, this.#length), value });
      return;
    }
    for (let i = 0; i < this.#length; i++) recent.keys[i] = this.#keys[i]!;
    recent.value = value;
  }

  /** The text at `index` of the current values; null if it was absent or a number. */
  text(index: i32): string | null {
    const key = this.#keys[index]!;
    return typeof key === "string" ? key : null;
  }

  /** Stores the record for the values added since `begin`. */
  put(value: V): void {
    if (this.#size >= this.#capacity) this.clear();
    const last = this.#length - 1;
    let level = this.#root;
    for (let i = 0; i < last; i++) {
      let next = level.get(this.#keys[i]!) as Level<V> | undefined;
      if (next === undefined) {
        next = new Map();
        level.set(this.#keys[i]!, next);
      }
      level = next;
    }
    level.set(this.#keys[last]!, value);
    this.#size++;
    const first = this.#firstText();
    this.#remember(first, this.#recent.get(first), value);
  }

  /** Forgets every record. */
  clear(): void {
    this.#root = new Map();
    this.#recent.clear();
    this.#size = 0;
  }
}
