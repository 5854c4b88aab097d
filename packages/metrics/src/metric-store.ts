import type { Clock } from "@mixerless/clock";
import { CoarseTime } from "./coarse-time.ts";
import { CounterHandle } from "./counter-handle.ts";
import { type ExposeOptions, exposeSlices } from "./expose.ts";
import { GaugeHandle } from "./gauge-handle.ts";
import { HistogramHandle } from "./histogram-handle.ts";
import { LabelShapes } from "./label-shape.ts";
import { LabelTable } from "./label-table.ts";
import { METRIC_NAME_LIMIT, METRICS_LIMIT } from "./limits.ts";
import type {
  Counter,
  Family,
  FamilyView,
  Gauge,
  Histogram,
  HistogramDefinition,
  MetricDefinition,
  MetricSettings,
  MetricType,
} from "./metric.ts";
import { invalidName, nameClash, tooMany, typeConflict } from "./metric-error.ts";
import { type EffectiveSettings, type MakeHandle, MetricFamily, type SharedParts } from "./metric-family.ts";
import { isMetricName } from "./names.ts";
import type { SeriesHandle } from "./series-handle.ts";
import { checkSettings, resolveSettings } from "./settings.ts";
import { SlotPool } from "./slot-pool.ts";
import { Sweeper } from "./sweeper.ts";
import { isSelfMetric, SELF_BUDGET, SelfTally } from "./tally.ts";

export interface StoreOptions {
  readonly clock: Clock;
  /** Milliseconds without an update after which a series ends. Default 600,000; 0 = never. */
  readonly idleExpiry?: number;
  /** Series per metric. Default 10,000. */
  readonly defaultBudget?: number;
  /** Envoy's log-linear bins [telemetry.md §1.9]. Default false: exact sums, inclusive bounds. */
  readonly histogramImitation?: boolean;
}

type StoredFamily = MetricFamily<CounterHandle> | MetricFamily<GaugeHandle> | MetricFamily<HistogramHandle>;

/**
 * All metrics of one proxy or service: labels as data, values in typed-array slots, series that end
 * when nobody updates them, and a budget for each metric.
 */
export class MetricStore {
  readonly #counters = new Map<string, MetricFamily<CounterHandle>>();
  readonly #gauges = new Map<string, MetricFamily<GaugeHandle>>();
  readonly #histograms = new Map<string, MetricFamily<HistogramHandle>>();
  readonly #settings = new Map<string, MetricSettings>();
  readonly #shared: SharedParts;
  readonly #sweeper: Sweeper;
  #defaults: MetricSettings;

  constructor(options: StoreOptions) {
    const { clock, idleExpiry, defaultBudget, histogramImitation } = options;
    this.#defaults = {
      ...(idleExpiry !== undefined && { idleExpiry }),
      ...(defaultBudget !== undefined && { budget: defaultBudget }),
      ...(histogramImitation !== undefined && { histogramImitation }),
    };
    checkSettings("the store", this.#defaults);
    const time = new CoarseTime(clock);
    const pools = new Map<number, SlotPool>();
    const tally = new SelfTally();
    this.#shared = {
      time,
      tally,
      shapes: new LabelShapes(),
      labels: new LabelTable(),
      pool: (stride) => poolOf(pools, stride),
    };
    tally.define((definition) => this.counter(definition));
    this.#sweeper = new Sweeper(clock, time, () => this.#families());
  }

  /**
   * The counter of this name, made if need be; so also {@link gauge} and {@link histogram}. Throws a
   * {@link MetricError} if the name is not valid, is taken by another type or clashes with a histogram's.
   */
  counter(definition: MetricDefinition): Family<Counter> {
    return this.#define(this.#counters, "counter", CounterHandle, definition);
  }

  gauge(definition: MetricDefinition): Family<Gauge> {
    return this.#define(this.#gauges, "gauge", GaugeHandle, definition);
  }

  histogram(definition: HistogramDefinition): Family<Histogram> {
    return this.#define(this.#histograms, "histogram", HistogramHandle, definition);
  }

  /** Ends a metric and its series. Handles may be kept; what they do is lost. False if there is none. */
  remove(name: string): boolean {
    const family = this.#family(name);
    if (family === undefined || isSelfMetric(name)) return false;
    for (const table of [this.#counters, this.#gauges, this.#histograms]) table.delete(name);
    family.close();
    return true;
  }

  *families(): Generator<FamilyView> {
    yield* this.#families();
  }

  /**
   * Replaces the settings of one metric, which need not exist yet, while it is used. `{}` returns it to
   * the defaults. Throws a {@link MetricError} for a setting that can't be used; nothing is changed then.
   */
  configure(name: string, settings: MetricSettings): void {
    checkSettings(name, settings);
    this.#settings.set(name, settings);
    const family = this.#family(name);
    if (family !== undefined) this.#apply(family);
  }

  /** As {@link configure}, for whatever a metric has no setting of its own for. */
  configureDefaults(settings: MetricSettings): void {
    checkSettings("the store", settings);
    this.#defaults = settings;
    for (const family of this.#families()) this.#apply(family);
  }

  /** Sets every counter back to 0, as a restart would; series and handles stay. */
  resetCounters(): void {
    for (const family of this.#counters.values()) {
      for (const series of family.live()) {
        series.page[series.offset] = 0;
        series.created = this.#shared.time.tick;
      }
    }
  }

  /** The store in an exposition format, in pieces, letting other work have its turn in between. */
  async *expose(options: ExposeOptions = {}): AsyncGenerator<Uint8Array> {
    for (const piece of exposeSlices(this.#families(), options)) {
      if (piece !== null) yield piece;
      await nextTurn();
    }
  }

  /** As {@link expose}, all at once: for tests and small stores. */
  text(options: ExposeOptions = {}): string {
    const pieces: Uint8Array[] = [];
    for (const piece of exposeSlices(this.#families(), options)) if (piece !== null) pieces.push(piece);
    return Buffer.concat(pieces).toString("utf8");
  }

  /** Stops the timers. Values can still be recorded and read, but nothing expires. */
  close(): void {
    this.#sweeper.close();
  }

  #define<H extends SeriesHandle>(
    families: Map<string, MetricFamily<H>>,
    type: MetricType,
    makeHandle: MakeHandle<H>,
    definition: HistogramDefinition,
  ): MetricFamily<H> {
    const known = families.get(definition.name);
    if (known !== undefined) return known;
    this.#check(definition.name, type);
    const settings = this.#resolve(definition, type);
    const family = new MetricFamily<H>(definition, type, makeHandle, this.#shared, settings);
    families.set(definition.name, family);
    return family;
  }

  #check(name: string, type: MetricType): void {
    const known = this.#family(name);
    if (known !== undefined) throw typeConflict(name, known.type, type);
    if (!isMetricName(name) || name.length > METRIC_NAME_LIMIT) throw invalidName(name);
    const clash = this.#clashing(name, type);
    if (clash !== null) throw nameClash(name, clash);
    const count = this.#counters.size + this.#gauges.size + this.#histograms.size;
    if (count >= METRICS_LIMIT) throw tooMany(name, METRICS_LIMIT);
  }

  /** The metric whose samples would have the same names, or null. */
  #clashing(name: string, type: MetricType): string | null {
    for (const suffix of ["_bucket", "_sum", "_count"]) {
      if (type === "histogram" && this.#family(name + suffix) !== undefined) return name + suffix;
      const base = name.endsWith(suffix) ? name.slice(0, -suffix.length) : null;
      if (base !== null && this.#histograms.has(base)) return base;
    }
    return null;
  }

  #apply(family: StoredFamily): void {
    family.configure(this.#resolve(family.definition, family.type));
  }

  #resolve(definition: HistogramDefinition, type: MetricType): EffectiveSettings {
    const own = isSelfMetric(definition.name) ? { budget: SELF_BUDGET } : this.#settings.get(definition.name);
    return resolveSettings(definition, type, own ?? {}, this.#defaults);
  }

  #family(name: string): StoredFamily | undefined {
    return this.#counters.get(name) ?? this.#gauges.get(name) ?? this.#histograms.get(name);
  }

  *#families(): Generator<StoredFamily> {
    yield* this.#counters.values();
    yield* this.#gauges.values();
    yield* this.#histograms.values();
  }
}

function poolOf(pools: Map<number, SlotPool>, stride: number): SlotPool {
  let pool = pools.get(stride);
  if (pool === undefined) {
    pool = new SlotPool(stride);
    pools.set(stride, pool);
  }
  return pool;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
