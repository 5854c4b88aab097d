import type { ExposeOptions, MetricStore } from "@mixerless/metrics";
import { clusterStats, dottedName, listenerStats, type OwnStat, processStats } from "./own-stats.ts";
import type { StatsSettings } from "./stats-settings.ts";
import type { StatsFacts } from "./stats-view.ts";

/** Lines written before other work gets its turn. */
const SLICE = 256;
/** Series of one scrape; what is beyond is left out. A configuration of thousands of clusters must not fill a scrape. */
const LIMIT = 20_000;

/**
 * Of several processes that are one proxy, each worker tells what it has `counted`, and the primary what the proxy as a
 * whole is, the `process`.
 */
export type SeriesPart = "all" | "counted" | "process";

export interface OwnSeriesFacts extends StatsFacts {
  readonly settings: StatsSettings;
  readonly part: SeriesPart;
}

/** The series of the proxy: what its store holds, and its own numbers under Envoy's names with labels. */
export class OwnSeries {
  readonly #facts: OwnSeriesFacts;
  readonly #store: MetricStore;

  constructor(facts: OwnSeriesFacts) {
    this.#facts = facts;
    this.#store = facts.metrics;
  }

  async *expose(options: ExposeOptions = {}): AsyncGenerator<Uint8Array> {
    yield* this.own(options);
    yield* this.#store.expose(options);
  }

  /** Without what the store holds, and without the end of an OpenMetrics text. */
  async *own(options: ExposeOptions = {}): AsyncGenerator<Uint8Array> {
    const families = this.#chosen(options);
    let text = "";
    let lines = 0;
    for (const [family, stats] of families) {
      text += this.#head(family, stats[0]?.kind ?? "counter", options);
      for (const stat of stats) {
        text += `${family}${this.#labels(stat)} ${stat.value}\n`;
        if (++lines % SLICE !== 0) continue;
        yield Buffer.from(text);
        text = "";
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    if (text !== "") yield Buffer.from(text);
  }

  /** By family, in the order of their names. */
  #chosen({ filter, usedOnly }: ExposeOptions): [family: string, stats: OwnStat[]][] {
    const { settings } = this.#facts;
    const families = new Map<string, OwnStat[]>();
    let count = 0;
    for (const stat of this.#stats()) {
      const family = `envoy_${stat.scope}_${stat.stat}`;
      if (usedOnly === true && stat.value === 0) continue;
      if (filter?.(family) === false || !settings.shows(dottedName(stat))) continue;
      if (++count > LIMIT) break;
      const known = families.get(family);
      if (known === undefined) families.set(family, [stat]);
      else known.push(stat);
    }
    return [...families].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  *#stats(): Generator<OwnStat> {
    const { part, clusters, listeners, process } = this.#facts;
    const now = process();
    if (now !== null) yield* processStats(now, clusters.clusters, listeners.states);
    const ofClusters = clusterStats(clusters.clusters, now);
    if (part === "process") {
      yield* ofControlPlane(ofClusters, now?.controlPlane?.cluster);
      return;
    }
    yield* ofClusters;
    yield* listenerStats(listeners.states);
  }

  #labels({ scope, owner }: OwnStat): string {
    if (scope !== "cluster" && scope !== "listener") return "";
    const value = owner.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
    return `{${this.#facts.settings.labels[scope]}="${value}"}`;
  }

  #head(family: string, kind: OwnStat["kind"], { format }: ExposeOptions): string {
    if (format?.name !== "openmetrics" || kind === "gauge") return `# TYPE ${family} ${kind}\n`;
    // A counter without `_total` is none there; it keeps its name rather than its type.
    return family.endsWith("_total") ? `# TYPE ${family.slice(0, -6)} counter\n` : `# TYPE ${family} unknown\n`;
  }
}

/** Of the cluster that stands for the control plane, whose stream only the primary has. */
function* ofControlPlane(stats: Iterable<OwnStat>, cluster: string | undefined): Generator<OwnStat> {
  for (const stat of stats) if (stat.owner === cluster && stat.stat === "upstream_cx_active") yield stat;
}
