import type { Clock, Timer } from "@mixerless/clock";
import type { Backoff, SendOutcome } from "@mixerless/queue";
import type { Series } from "./series.ts";
import type { SeriesRegistry } from "./series-registry.ts";

/** Google's limit of one request. */
const SERIES_PER_REQUEST = 200;

export interface MetricExporterOptions {
  readonly clock: Clock;
  readonly registry: SeriesRegistry;
  /** Milliseconds between two exports. */
  readonly interval: number;
  /** After a failure it comes back earlier than after the interval, never later. */
  readonly backoff: Backoff;
  /** Sends what the series say now. Never rejects. */
  readonly send: (series: readonly Series[]) => Promise<SendOutcome>;
  readonly report: { sent(series: number): void; failed(series: number): void };
}

/**
 * Sends the totals of all series at intervals. Nothing queues up: what an export could not say is in the next one's
 * totals.
 */
export class MetricExporter {
  readonly #options: MetricExporterOptions;
  #timer: Timer | null = null;
  #exporting: Promise<boolean> | null = null;
  #closed = false;

  constructor(options: MetricExporterOptions) {
    this.#options = options;
    this.#wait(options.interval);
  }

  /** Sends the last totals, giving it `limit` milliseconds. */
  async close(limit: number): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    let timer: Timer | null = null;
    const over = new Promise<void>((wake) => {
      timer = this.#options.clock.after(limit, wake);
    });
    await Promise.race([this.#last(), over]);
    (timer as Timer | null)?.cancel();
  }

  async #last(): Promise<void> {
    await this.#exporting;
    await this.#export();
  }

  #wait(milliseconds: number): void {
    const { clock, interval, backoff } = this.#options;
    this.#timer = clock.after(milliseconds, () => {
      this.#exporting = this.#export();
      void this.#exporting.then((succeeded) => {
        this.#exporting = null;
        if (succeeded) backoff.reset();
        if (!this.#closed) this.#wait(succeeded ? interval : Math.min(backoff.pause(), interval));
      });
    });
  }

  async #export(): Promise<boolean> {
    const { registry, send, report } = this.#options;
    const series = registry.current();
    for (let at = 0; at < series.length; at += SERIES_PER_REQUEST) {
      const some = series.slice(at, at + SERIES_PER_REQUEST);
      const outcome = await send(some);
      if (outcome === "sent") report.sent(some.length);
      else report.failed(some.length);
      // The others would meet the same fate.
      if (outcome === "again") return false;
    }
    return true;
  }
}
