/**
 * Values that filters leave for each other along one stream or connection. The first writer of a key
 * wins: later writes are ignored, so that no filter can rewrite what another has established.
 */
export class FilterState {
  #values: Map<string, unknown> | null = null;
  readonly #parent: FilterState | null;

  /** `parent` is the connection's state; a stream reads through to it. */
  constructor(parent: FilterState | null = null) {
    this.#parent = parent;
  }

  get(key: string): unknown {
    return this.#values?.get(key) ?? this.#parent?.get(key);
  }

  /** False when the key was taken already. */
  set(key: string, value: unknown): boolean {
    if (this.get(key) !== undefined) return false;
    this.#values ??= new Map();
    this.#values.set(key, value);
    return true;
  }

  /** Sets a value that its writers share and may change, as plugins' properties are. `shared`: for the whole connection. */
  replace(key: string, value: unknown, shared = false): void {
    if (shared && this.#parent !== null) {
      this.#parent.replace(key, value);
      return;
    }
    this.#values ??= new Map();
    this.#values.set(key, value);
  }
}
