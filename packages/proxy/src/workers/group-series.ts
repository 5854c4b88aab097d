import type { Clock } from "@mixerless/clock";
import type { ExposeOptions } from "@mixerless/metrics";
import { ExpositionReader } from "./exposition-reader.ts";
import { SeriesTable } from "./series-table.ts";
import { printTable } from "./table-text.ts";
import type { LivingWorker } from "./worker-group.ts";

export interface GroupSeriesOptions {
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly living: () => readonly Pick<LivingWorker, "number" | "questions">[];
  /** What the primary says of the proxy as a whole. */
  readonly primary: (options: ExposeOptions) => AsyncIterable<Uint8Array>;
}

/** Stands beside the numbers of the workers, which begin at 1. */
const PRIMARY = 0;

/** The series of all workers as one store would print them. One collection at a time. */
export class GroupSeries {
  readonly #options: GroupSeriesOptions;
  readonly #table = new SeriesTable();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: GroupSeriesOptions) {
    this.#options = options;
  }

  /** A worker that does not answer counts with what it said last. */
  async *expose(options: ExposeOptions = {}): AsyncGenerator<Uint8Array> {
    const { round, heads } = await this.#inTurn(() => this.#collect(options));
    const usedOnly = options.usedOnly === true;
    yield* printTable(this.#table, {
      openMetrics: options.format?.name === "openmetrics",
      heads,
      shown: ({ series }, { name }) =>
        (options.filter?.(name) ?? true) && (!usedOnly || series.orphaned || series.seenSince(round)),
    });
  }

  /** Sets all counters back, with what sets those of the workers back. */
  reset(resetWorkers: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      await resetWorkers();
      await this.#table.reset();
    });
  }

  /** What the worker counted, as far as it was collected, stays. */
  ended(worker: number): void {
    void this.#inTurn(() => this.#table.retire(worker, this.#options.clock.monotonic()));
  }

  async #collect(options: ExposeOptions): Promise<{ round: number; heads: ReadonlyMap<string, string> }> {
    const { clock, living, primary } = this.#options;
    await this.#table.expire(clock.monotonic());
    const round = this.#table.begin();
    const heads = new Map<string, string>();
    const asked = living().map((worker) => this.#ask(worker, options, heads));
    await Promise.all([this.#take(PRIMARY, primary(options), options, heads), ...asked]);
    return { round, heads };
  }

  async #ask(
    { number, questions }: Pick<LivingWorker, "number" | "questions">,
    options: ExposeOptions,
    heads: Map<string, string>,
  ): Promise<void> {
    const accept = options.format?.name === "openmetrics" ? options.format.contentType : "";
    try {
      const { body } = await questions.ask("/stats/prometheus", options.usedOnly === true ? "usedonly" : "", accept);
      await this.#take(number, body, options, heads);
    } catch (error) {
      this.#options.log(`A worker's series are those of the last scrape: ${(error as Error).message}.`);
    }
  }

  async #take(
    number: number,
    text: AsyncIterable<Uint8Array>,
    options: ExposeOptions,
    heads: Map<string, string>,
  ): Promise<void> {
    const openMetrics = options.format?.name === "openmetrics";
    const reader = new ExpositionReader(openMetrics, (series) => this.#table.put(number, series));
    try {
      for await (const piece of text) reader.push(piece);
      if (options.usedOnly !== true) await this.#table.complete(number);
    } finally {
      for (const [family, head] of reader.heads) heads.set(family, head);
    }
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => {});
    return result;
  }
}
