import { SeriesEntry } from "./series-entry.ts";

export type FamilyKind = "counter" | "gauge" | "histogram";

/** Bounds of a histogram and whether it has a sum. */
export interface Layout {
  readonly bounds: readonly string[];
  readonly hasSum: boolean;
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
    const key = layout === null ? labels : `${layout.bounds.join(" ")} ${layout.hasSum}|${labels}`;
    let entry = table.entries.get(key);
    if (entry === undefined) {
      entry = { labels, layout, series: new SeriesEntry(kind !== "gauge") };
      table.entries.set(key, entry);
    }
    entry.series.put(worker, values, this.#round);
  }

  /** The worker has named all its series in this collection: what it did not name has expired there. */
  complete(worker: number): void {
    this.#sweep(({ series }) => series.dropUnseen(worker, this.#round) && series.orphaned);
  }

  /** The worker has ended. */
  retire(worker: number, now: number): void {
    let orphans = 0;
    this.#sweep(({ series }) => {
      const living = !series.orphaned;
      series.drop(worker);
      if (series.orphaned && living) series.orphanedAt = now;
      if (series.orphaned) orphans++;
      return series.empty || orphans > ORPHAN_LIMIT;
    });
  }

  /** Gives up what only ended workers have had, and that long ago. */
  expire(now: number): void {
    this.#sweep(({ series }) => series.orphaned && now - series.orphanedAt >= this.#orphanTime);
  }

  /** The workers have set their counters back to 0. */
  reset(): void {
    this.#sweep(({ series }) => {
      series.reset();
      return series.empty;
    });
  }

  #sweep(isOver: (entry: TableEntry) => boolean): void {
    for (const { entries } of this.#families.values())
      for (const [key, entry] of entries) if (isOver(entry)) entries.delete(key);
  }
}
