/** What one worker last said about a series: the value, or the buckets, sum and count of a histogram. */
interface Contribution {
  readonly worker: number;
  values: readonly number[];
  /** Number of the collection that said it. */
  round: number;
}

/** One series of all workers. */
export class SeriesEntry {
  readonly #contributions: Contribution[] = [];
  /** Of workers that are gone, and of series that began anew in a worker. */
  #retired: number[] | null = null;
  readonly #monotone: boolean;
  /** Monotonic time at which no living worker had it any more. */
  orphanedAt = 0;

  constructor(monotone: boolean) {
    this.#monotone = monotone;
  }

  get orphaned(): boolean {
    return this.#contributions.length === 0;
  }

  /** Whether there is nothing left to show. */
  get empty(): boolean {
    return this.orphaned && this.#retired === null;
  }

  put(worker: number, values: readonly number[], round: number): void {
    const known = this.#contributions.find((contribution) => contribution.worker === worker);
    if (known === undefined) {
      this.#contributions.push({ worker, values, round });
      return;
    }
    // A series that expired in the worker and came back counts from 0 again.
    if (this.#monotone && values.some((value, i) => value < (known.values[i] ?? 0))) this.#retire(known.values);
    known.values = values;
    known.round = round;
  }

  seenSince(round: number): boolean {
    return this.#contributions.some((contribution) => contribution.round >= round);
  }

  /** The worker has this series no more, or has ended; what it counted stays. */
  drop(worker: number): void {
    const at = this.#contributions.findIndex((contribution) => contribution.worker === worker);
    const [gone] = at < 0 ? [] : this.#contributions.splice(at, 1);
    if (gone !== undefined && this.#monotone) this.#retire(gone.values);
  }

  /** As {@link drop}, if the worker did not name it in this collection. Whether it had named it before. */
  dropUnseen(worker: number, round: number): boolean {
    const known = this.#contributions.find((contribution) => contribution.worker === worker);
    if (known === undefined || known.round >= round) return false;
    this.drop(worker);
    return true;
  }

  /** The workers have set their counters back to 0. */
  reset(): void {
    if (!this.#monotone) return;
    this.#retired = null;
    for (const contribution of this.#contributions) contribution.values = contribution.values.map(() => 0);
  }

  total(): number[] {
    const total = this.#retired === null ? [] : [...this.#retired];
    for (const { values } of this.#contributions) addTo(total, values);
    return total;
  }

  /** Of what every living worker finds by itself. */
  greatest(): number[] {
    const greatest: number[] = [];
    for (const { values } of this.#contributions)
      for (const [i, value] of values.entries()) greatest[i] = Math.max(greatest[i] ?? 0, value);
    return greatest;
  }

  #retire(values: readonly number[]): void {
    this.#retired ??= [];
    addTo(this.#retired, values);
  }
}

function addTo(total: number[], values: readonly number[]): void {
  for (const [i, value] of values.entries()) total[i] = (total[i] ?? 0) + value;
}
