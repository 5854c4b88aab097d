import type { Series } from "./series.ts";

const RUN = 256;
const MERGE_SLICE = 2048;
const SLACK = 64;

/**
 * The series of one metric in the order of their label text. Sorting a hundred thousand of them
 * takes long, so it is done in slices: only what was added since the last time is sorted, then merged.
 */
export class SeriesOrder {
  #sorted: readonly Series[] = [];
  #added: Series[] = [];
  #dead = 0;
  /** Changes with `#sorted`, so that of two walks at once only one replaces it. */
  #version = 0;

  add(series: Series): void {
    this.#added.push(series);
  }

  /** To be told of each series that ended; `live` is how many are left. */
  ended(live: number): void {
    if (++this.#dead <= live + SLACK) return;
    this.#sorted = this.#sorted.filter(isLive);
    this.#added = this.#added.filter(isLive);
    this.#dead = 0;
    this.#version++;
  }

  /** Yields between slices; returns the series. Ended ones may be among them. */
  *walk(): Generator<void, readonly Series[]> {
    const { length } = this.#added;
    if (length === 0) return this.#sorted;
    const version = this.#version;
    const base = this.#sorted;
    const result = yield* merge(base, yield* sort(this.#added.slice(0, length)));
    if (version === this.#version) {
      this.#sorted = result;
      this.#added = this.#added.slice(length);
      this.#dead = 0;
      this.#version++;
    }
    return result;
  }
}

function* sort(series: readonly Series[]): Generator<void, readonly Series[]> {
  let runs: (readonly Series[])[] = [];
  for (let i = 0; i < series.length; i += RUN) {
    runs.push(
      series
        .slice(i, i + RUN)
        .filter(isLive)
        .sort(compare),
    );
    yield;
  }
  while (runs.length > 1) {
    const merged: (readonly Series[])[] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(yield* merge(runs[i] ?? [], runs[i + 1] ?? []));
      yield;
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge(left: readonly Series[], right: readonly Series[]): Generator<void, readonly Series[]> {
  if (right.length === 0) return left;
  const merge: Merge = { left, right, l: 0, r: 0, merged: [] };
  while (mergeSlice(merge)) yield;
  return merge.merged;
}

interface Merge {
  readonly left: readonly Series[];
  readonly right: readonly Series[];
  l: number;
  r: number;
  readonly merged: Series[];
}

/** False when all is merged. A function of its own, because the engine optimises no loop in a generator. */
function mergeSlice(merge: Merge): boolean {
  const { left, right, merged } = merge;
  let { l, r } = merge;
  for (let steps = 0; steps < MERGE_SLICE; steps++) {
    const a = left[l];
    const b = right[r];
    const takeLeft = a !== undefined && (b === undefined || compare(a, b) < 0);
    const next = takeLeft ? a : b;
    if (next === undefined) return false;
    if (takeLeft) l++;
    else r++;
    if (next.live) merged.push(next);
  }
  merge.l = l;
  merge.r = r;
  return true;
}

/** Never equal: two live series of a metric differ in their labels. */
function compare(a: Series, b: Series): number {
  return a.labels.text() < b.labels.text() ? -1 : 1;
}

function isLive(series: Series): boolean {
  return series.live;
}
