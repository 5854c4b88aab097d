/** Shorter slices are copied by the engine anyway. */
const SLICED = 13;

/**
 * Gives equal strings out as one, and cut loose from the text that they were found in: a slice would
 * keep the whole text in memory for as long as somebody keeps the slice.
 */
export class Interner {
  readonly #known = new Map<string, string>();

  take(slice: string): string {
    const known = this.#known.get(slice);
    if (known !== undefined) return known;
    const own = slice.length < SLICED ? slice : detached(slice);
    this.#known.set(own, own);
    return own;
  }
}

function detached(slice: string): string {
  const copy = Buffer.from(slice, "utf8").toString("utf8");
  return copy === slice ? copy : slice;
}
