/** Leads positions in a rewritten module back to those in the module that its author knows. */
export class PositionMap {
  #rewritten: number[] = [];
  #original: number[] = [];

  /** From `rewritten` on, bytes are those from `original` on. Calls come in ascending order. */
  add(rewritten: number, original: number): void {
    this.#rewritten.push(rewritten);
    this.#original.push(original);
  }

  /** Moves every position: what is written in front of the code is known last. */
  shift(by: number): void {
    for (let i = 0; i < this.#rewritten.length; i++) this.#rewritten[i] = (this.#rewritten[i] as number) + by;
  }

  /** Saves room once all is known. */
  freeze(): FrozenPositions {
    return new FrozenPositions(Uint32Array.from(this.#rewritten), Uint32Array.from(this.#original));
  }
}

export class FrozenPositions {
  readonly #rewritten: Uint32Array;
  readonly #original: Uint32Array;

  constructor(rewritten: Uint32Array, original: Uint32Array) {
    this.#rewritten = rewritten;
    this.#original = original;
  }

  /** The original position; of inserted code, that of the instruction which follows it. */
  originalOf(position: number): number {
    let low = 0;
    let high = this.#rewritten.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rewritten[middle] as number) <= position) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return position;
    const moved = (this.#original[low - 1] as number) + position - (this.#rewritten[low - 1] as number);
    const next = this.#original[low];
    return next === undefined ? moved : Math.min(moved, next);
  }
}
