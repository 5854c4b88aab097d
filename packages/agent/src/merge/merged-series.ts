import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "@mixerless/clock";
import { type ExposeOptions, OPENMETRICS_FORMAT, TEXT_FORMAT } from "@mixerless/metrics";
import type { SeriesSource } from "@mixerless/proxy";
import type { AgentSeries } from "./agent-series.ts";
import { type ScrapedBody, scrapeTarget } from "./scrape-target.ts";
import type { ScrapeTarget } from "./scrape-targets.ts";

export interface MergeOptions {
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly agent: AgentSeries;
  readonly proxy: SeriesSource;
  /** Where the application listens. */
  readonly host: string;
  readonly targets: readonly ScrapeTarget[];
}

export interface MergedAnswer {
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Bytes of one endpoint; Istio's limit. */
const MAX_BYTES = 10 * 1024 * 1024;
/** Scrapes that ask the application at the same time; another one gets the rest without waiting. */
const MAX_CONCURRENT = 4;
/** Of a scraper that does not say how long it waits: Prometheus' own default, milliseconds. */
const DEFAULT_TIMEOUT = 10_000;
const MAX_TIMEOUT = 120_000;
/** The application gets this part of the scraper's time, so that a slow one does not cost the other series. */
const SHARE = 0.8;

/**
 * The series of agent, proxy and application in one body, in this order [telemetry §7.2]. The answer never fails: an
 * application that is slow, broken, too large or no text is left out and counted. The format is OpenMetrics if the
 * application answers so, else the text format. Families that two sources have both stay: which is right only their
 * owner can say.
 */
export class MergedSeries {
  readonly #options: MergeOptions;
  readonly #lastReason = new Map<ScrapeTarget, string>();
  #running = 0;

  constructor(options: MergeOptions) {
    this.#options = options;
  }

  async scrape(headers: IncomingHttpHeaders, expose: ExposeOptions = {}): Promise<MergedAnswer> {
    const { agent, proxy, targets } = this.#options;
    agent.scraped();
    const bodies = targets.length === 0 ? [] : await this.#applications(headers);
    const [first] = bodies;
    const openMetrics = first !== undefined && bodies.every((body) => body.openMetrics);
    const format = openMetrics ? OPENMETRICS_FORMAT : TEXT_FORMAT;
    // The bounds keep the spelling of the text format, else a change of format would make new series of them.
    const options: ExposeOptions = { ...expose, format, plainBounds: true };
    return {
      contentType: openMetrics ? first.contentType : TEXT_FORMAT.contentType,
      body: concatenate(
        [agent.store.expose({ ...options, filter: isAgents }), proxy.expose(options)],
        bodies,
        openMetrics,
      ),
    };
  }

  async #applications(headers: IncomingHttpHeaders): Promise<ScrapedBody[]> {
    const { agent, targets } = this.#options;
    if (this.#running >= MAX_CONCURRENT) {
      for (const target of targets) this.#failed(target, `${MAX_CONCURRENT} scrapes are waiting for it already`);
      return [];
    }
    this.#running++;
    try {
      const timeout = applicationTime(headers["x-prometheus-scrape-timeout-seconds"]);
      const results = await Promise.all(targets.map((target) => this.#application(target, headers, timeout)));
      return results.filter((result) => result !== null);
    } catch (error) {
      agent.failed("application");
      this.#options.log(String(error));
      return [];
    } finally {
      this.#running--;
    }
  }

  async #application(target: ScrapeTarget, headers: IncomingHttpHeaders, timeout: number): Promise<ScrapedBody | null> {
    const { clock, host } = this.#options;
    try {
      const body = await scrapeTarget({
        clock,
        host,
        target,
        headers: passedOn(headers),
        timeout,
        maxBytes: MAX_BYTES,
      });
      this.#lastReason.delete(target);
      return body;
    } catch (error) {
      this.#failed(target, (error as Error).message);
      return null;
    }
  }

  #failed(target: ScrapeTarget, reason: string): void {
    this.#options.agent.failed("application");
    // Once for each reason: a scrape comes every few seconds.
    if (this.#lastReason.get(target) === reason) return;
    this.#lastReason.set(target, reason);
    const url = `http://${this.#options.host}:${target.port}${target.path}`;
    this.#options.log(`The application's series at ${url} are left out of the merged ones: ${reason}.`);
  }
}

/** Every store counts about itself under the same names; those of the proxy's are shown. */
function isAgents(metric: string): boolean {
  return metric.startsWith("istio_agent_");
}

function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  const passed: Record<string, string> = { "accept-encoding": "identity" };
  for (const name of ["accept", "user-agent", "x-prometheus-scrape-timeout-seconds"]) {
    const value = headers[name];
    if (typeof value === "string") passed[name] = value;
  }
  return passed;
}

function applicationTime(header: string | string[] | undefined): number {
  const seconds = Number(header);
  const timeout = seconds > 0 ? Math.min(seconds * 1000, MAX_TIMEOUT) : DEFAULT_TIMEOUT;
  return Math.round(timeout * SHARE);
}

const EOF = Buffer.from("# EOF\n");
const NEWLINE = Buffer.from("\n");

async function* concatenate(
  own: readonly AsyncIterable<Uint8Array>[],
  bodies: readonly ScrapedBody[],
  openMetrics: boolean,
): AsyncGenerator<Uint8Array> {
  for (const source of own) yield* openMetrics ? withoutEof(source) : source;
  for (const { body } of bodies) {
    if (body.length === 0) continue;
    yield body;
    if (body.at(-1) !== 0x0a) yield NEWLINE;
  }
  if (openMetrics) yield EOF;
}

/** All but the last `# EOF` line of what one of our stores printed. */
async function* withoutEof(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    const all = Buffer.concat([held, piece]);
    const keep = Math.min(EOF.length, all.length);
    if (all.length > keep) yield all.subarray(0, all.length - keep);
    held = all.subarray(all.length - keep);
  }
  if (!held.equals(EOF)) yield held;
}
