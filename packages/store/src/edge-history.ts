import { COUNTS, type Edge, type EdgeEnds, nothing, type Traffic } from "./edges.ts";

/** Rounds that are forgotten together. */
const CHUNK = 60;

/** Slots of a ring in which `rounds` rounds can be read at any time: the chunk that is being filled comes on top. */
export function ringFor(rounds: number): number {
  return (Math.ceil(rounds / CHUNK) + 1) * CHUNK;
}

/**
 * What came over one edge in each of the last rounds, in a ring of numbers. An hour in which nothing came takes
 * no room. Single precision: what comes in one round is a small number, or one of bytes.
 */
export class EdgeHistory {
  readonly ends: EdgeEnds;
  /** Upper bounds of the latency buckets, ascending. */
  readonly bounds: readonly number[];
  readonly #columns: number;
  readonly #chunks: (Float32Array | null)[];

  constructor(edge: Edge, ring: number) {
    const { reporter, source, sourceNamespace, destination, destinationNamespace, service } = edge;
    this.ends = { reporter, source, sourceNamespace, destination, destinationNamespace, service };
    this.bounds = boundsOf(edge);
    this.#columns = COUNTS.length + this.bounds.length;
    this.#chunks = new Array(ring / CHUNK).fill(null);
  }

  get idle(): boolean {
    return this.#chunks.every((chunk) => chunk === null);
  }

  /** False for traffic whose buckets are others: they were changed, and histories of both can't be one. */
  fits(edge: Edge): boolean {
    const bounds = boundsOf(edge);
    return bounds.length === this.bounds.length && bounds.every((bound, index) => bound === this.bounds[index]);
  }

  /** To be called for every slot before anything is written to it. */
  clear(slot: number): void {
    if (slot % CHUNK === 0) this.#chunks[slot / CHUNK] = null;
  }

  add(slot: number, traffic: Traffic): void {
    const index = Math.floor(slot / CHUNK);
    this.#chunks[index] ??= new Float32Array(CHUNK * this.#columns);
    const row = this.#row(slot);
    if (row === null) return;
    for (const [column, count] of COUNTS.entries()) row[column] = (row[column] ?? 0) + traffic[count];
    for (const [index, bound] of this.bounds.entries()) {
      const column = COUNTS.length + index;
      row[column] = (row[column] ?? 0) + (traffic.buckets.get(bound) ?? 0);
    }
  }

  /** The sum over some slots. */
  sum(slots: readonly number[]): Traffic {
    const sum = nothing();
    for (const bound of this.bounds) sum.buckets.set(bound, 0);
    for (const slot of slots) {
      const row = this.#row(slot);
      if (row === null) continue;
      for (const [column, count] of COUNTS.entries()) sum[count] += row[column] ?? 0;
      for (const [index, bound] of this.bounds.entries())
        sum.buckets.set(bound, (sum.buckets.get(bound) ?? 0) + (row[COUNTS.length + index] ?? 0));
    }
    return sum;
  }

  #row(slot: number): Float32Array | null {
    const chunk = this.#chunks[Math.floor(slot / CHUNK)] ?? null;
    const start = (slot % CHUNK) * this.#columns;
    return chunk?.subarray(start, start + this.#columns) ?? null;
  }
}

function boundsOf({ buckets }: Traffic): number[] {
  return [...buckets.keys()].sort((a, b) => a - b);
}
