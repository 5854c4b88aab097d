import type { Clock } from "@mixerless/clock";
import { type Counter, type Family, MetricStore } from "@mixerless/metrics";
import { IdentitySeries } from "../identity/identity-series.ts";

/** Of what a scrape is made. */
export type ScrapeSource = "agent" | "envoy" | "application";

/** The agent's own series, all of them prefixed as those of Istio's agent [telemetry §7.2]. */
export class AgentSeries {
  readonly store: MetricStore;
  readonly #scrapes: Counter;
  readonly #failures: Family<Counter>;
  readonly #observe: () => void;
  readonly identity: IdentitySeries;

  constructor(clock: Clock) {
    this.store = new MetricStore({ clock });
    this.identity = new IdentitySeries(this.store, clock);
    this.#scrapes = this.store
      .counter({ name: "istio_agent_scrapes_total", help: "Scrapes of the merged series.", evictable: false })
      .series([], []);
    this.#failures = this.store.counter({
      name: "istio_agent_scrape_failures_total",
      help: "Sources that a scrape had to do without.",
      evictable: false,
    });
    for (const type of ["agent", "envoy", "application"]) this.#failures.series(["type"], [type]);
    this.#observe = processGauges(this.store, clock);
  }

  scraped(): void {
    this.#scrapes.add(1);
    this.#observe();
    this.identity.observe();
  }

  failed(source: ScrapeSource): void {
    this.#failures.series(["type"], [source]).add(1);
  }

  close(): void {
    this.store.close();
  }
}

/** Facts of the process; gives what brings them up to date. */
function processGauges(store: MetricStore, clock: Clock): () => void {
  const gauge = (name: string, help: string) =>
    store.gauge({ name: `istio_agent_${name}`, help, evictable: false }).series([], []);
  const cpu = store
    .counter({
      name: "istio_agent_process_cpu_seconds_total",
      help: "CPU time of the process, user and system.",
      evictable: false,
    })
    .series([], []);
  const resident = gauge("process_resident_memory_bytes", "Memory of the process.");
  const heap = gauge("nodejs_heap_used_bytes", "Memory that JavaScript values take.");
  gauge("process_start_time_seconds", "When the process started, since the epoch.").set(
    clock.now() / 1000 - process.uptime(),
  );
  let counted = 0;
  return () => {
    const { user, system } = process.cpuUsage();
    const total = (user + system) / 1e6;
    cpu.add(total - counted);
    counted = total;
    const memory = process.memoryUsage();
    resident.set(memory.rss);
    heap.set(memory.heapUsed);
  };
}
