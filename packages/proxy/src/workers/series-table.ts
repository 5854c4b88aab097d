import { SeriesEntry } from "./series-entry.ts";

export type FamilyKind = "counter" | "gauge" | "histogram";

/** Bounds of a histogram and whether it has a sum. Series of one reader that are alike share theirs. */
export interface Layout {
  readonly bounds: readonly string[];
  readonly hasSum: boolean;
  /** All of it as text, which tells it from others. */
  readonly key: string;
}

/** A series as one worker printed it. */
export interface ReadSeries {
  /** Name of the samples, without the suffixes of a histogram. */
  readonly family: string;
  readonly kind: FamilyKind;
  /** Between the braces. */
  readonly labels: string;
  readonly layout: Layout | null;
  readonly values: readonly number[];
}

export interface TableEntry {
  readonly labels: string;
  readonly layout: Layout | null;
  readonly series: SeriesEntry;
}

export interface TableFamily {
  readonly name: string;
  readonly kind: FamilyKind;
  readonly entries: Map<string, TableEntry>;
}

/** Milliseconds that a series of ended workers only stays: as long as an idle one stays in a worker. */
const ORPHAN_TIME = 600_000;
/** Series of ended workers only; what is beyond is given up, so that workers that end again and again fill no memory. */
const ORPHAN_LIMIT = 50_000;

const SWEEP_SLICE = 2000;

/**
 * The series of all workers, summed: counters, histograms and gauges of the same name and labels become one. What
 * workers counted that have ended stays in counters and histograms, so that none goes backwards. Its size is bounded
 * by the budgets of the workers' own stores.
 */
export class SeriesTable {
  readonly #families = new Map<string, TableFamily>();
  readonly #orphanTime: number;
  #round = 0;

  constructor(orphanTime = ORPHAN_TIME) {
    this.#orphanTime = orphanTime;
  }

  get families(): IterableIterator<TableFamily> {
    return this.#families.values();
  }

  /** Begins a collection and gives its number. */
  begin(): number {
    this.#round++;
    return this.#round;
  }

  put(worker: number, { family, kind, labels, layout, values }: ReadSeries): void {
    let table = this.#families.get(family);
    if (table === undefined || table.kind !== kind) {
      table = { name: family, kind, entries: new Map() };
      this.#families.set(family, table);
    }
    // While the bounds of a metric change, its old series and its new ones cannot be summed.
    const key = layout === null ? labels : `${layout.key}|${labels}`;
    let entry = table.entries.get(key);
    if (entry === undefined) {
      // Cut from the text that they were read in, they would hold all of it.
      const own = ownCopy(labels);
      entry = { labels: own, layout, series: new SeriesEntry(kind !== "gauge") };
      table.entries.set(layout === null ? own : `${layout.key}|${own}`, entry);
    }
    entry.series.put(worker, values, this.#round);
  }

  /** The worker has named all its series in this collection: what it did not name has expired there. */
  complete(worker: number): Promise<void> {
    return this.#sweep(({ series }) => series.dropUnseen(worker, this.#round) && series.orphaned);
  }

  /** The worker has ended. */
  retire(worker: number, now: number): Promise<void> {
    let orphans = 0;
    return this.#sweep(({ series }) => {
      const living = !series.orphaned;
      series.drop(worker);
      if (series.orphaned && living) series.orphanedAt = now;
      if (series.orphaned) orphans++;
      return series.empty || orphans > ORPHAN_LIMIT;
    });
  }

  /** Gives up what only ended workers have had, and that long ago. */
  expire(now: number): Promise<void> {
    return this.#sweep(({ series }) => series.orphaned && now - series.orphanedAt >= this.#orphanTime);
  }

  /** The workers have set their counters back to 0. */
  reset(): Promise<void> {
    return this.#sweep(({ series }) => {
      series.reset();
      return series.empty;
    });
  }

  /** In slices: a table may hold some 100,000 series, and other work must get its turn between them. */
  async #sweep(isOver: (entry: TableEntry) => boolean): Promise<void> {
    let seen = 0;
    for (const { entries } of this.#families.values()) {
      for (const [key, entry] of entries) {
        if (isOver(entry)) entries.delete(key);
        if (++seen % SWEEP_SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

function ownCopy(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
