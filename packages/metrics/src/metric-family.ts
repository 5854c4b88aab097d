import { type BucketLayout, sameLayout } from "./buckets.ts";
import type { CoarseTime } from "./coarse-time.ts";
import { LabelSet } from "./label-set.ts";
import { type LabelShape, type LabelShapes, sameNames } from "./label-shape.ts";
import type { LabelTable } from "./label-table.ts";
import type { Family, HistogramDefinition, MetricType, SeriesView } from "./metric.ts";
import { observations, Series } from "./series.ts";
import type { SeriesHandle, SeriesHome } from "./series-handle.ts";
import { SeriesOrder } from "./series-order.ts";
import { viewSeries } from "./series-view.ts";
import type { SlotPool } from "./slot-pool.ts";
import type { Tally } from "./tally.ts";

/** What the metrics of one store share. */
export interface SharedParts {
  readonly time: CoarseTime;
  readonly shapes: LabelShapes;
  readonly labels: LabelTable;
  readonly tally: Tally;
  pool(stride: number): SlotPool;
}

/** The settings in force for one metric. */
export interface EffectiveSettings {
  readonly budget: number;
  /** Ticks without an update; 0 = never. */
  readonly idleTicks: number;
  /** Null unless it is a histogram. */
  readonly layout: BucketLayout | null;
}

export type MakeHandle<H extends SeriesHandle> = new (home: SeriesHome, labels: LabelSet, series: Series) => H;

/** Label names and value of the series that takes what finds no room. */
const OVERFLOW_NAMES = ["mixerless_overflow"] as const;
const OVERFLOW_VALUES = ["true"] as const;

export class MetricFamily<H extends SeriesHandle> implements Family<H>, SeriesHome {
  readonly definition: HistogramDefinition;
  readonly type: MetricType;
  readonly time: CoarseTime;
  readonly order = new SeriesOrder();
  readonly #shared: SharedParts;
  readonly #makeHandle: MakeHandle<H>;
  readonly #series = new Map<string, Series>();
  #settings: EffectiveSettings;
  #pool: SlotPool;
  #shape: LabelShape | null = null;
  #overflow: Series | null = null;
  /** Stands in for the series of a handle that was refused. */
  readonly #ended: Series;
  /** Takes the updates of handles that outlive the metric. */
  #sink: Series | null = null;
  /** Changes whenever a refused handle should ask again. */
  #room = 0;

  constructor(
    definition: HistogramDefinition,
    type: MetricType,
    makeHandle: MakeHandle<H>,
    shared: SharedParts,
    settings: EffectiveSettings,
  ) {
    this.definition = definition;
    this.type = type;
    this.time = shared.time;
    this.#makeHandle = makeHandle;
    this.#shared = shared;
    this.#settings = settings;
    this.#pool = shared.pool(settings.layout?.stride ?? 1);
    this.#ended = this.#unregistered();
    this.#ended.live = false;
  }

  get name(): string {
    return this.definition.name;
  }

  get help(): string {
    return this.definition.help ?? "";
  }

  get unit(): string {
    return this.definition.unit ?? "";
  }

  get size(): number {
    return this.#series.size - (this.#overflow?.live ? 1 : 0);
  }

  /** Ticks without an update after which a series ends; 0 = never. */
  get idleTicks(): number {
    return this.#settings.idleTicks;
  }

  series(labelNames: readonly string[], labelValues: readonly string[]): H {
    const shape = this.#shapeOf(labelNames);
    const key = this.#keyOf(shape, labelValues);
    const series = this.#series.get(key) ?? this.#register(shape, key);
    if (series !== null) return new this.#makeHandle(this, series.labels, series);
    const handle = new this.#makeHandle(this, new LabelSet(shape, key), this.#ended);
    handle.refusedIn = this.#room;
    return handle;
  }

  remove(labelNames: readonly string[], labelValues: readonly string[]): boolean {
    const shape = this.#shapeOf(labelNames);
    const series = this.#series.get(this.#keyOf(shape, labelValues));
    if (series !== undefined) this.end(series);
    return series !== undefined;
  }

  clear(): void {
    for (const series of this.#series.values()) this.end(series);
  }

  *entries(): Generator<SeriesView> {
    for (const series of this.#series.values()) yield viewSeries(series, this.time);
  }

  /** The live series themselves; the map may change while it is walked. */
  live(): IterableIterator<Series> {
    return this.#series.values();
  }

  rebind(handle: SeriesHandle): Series {
    if (this.#sink !== null) return this.#sink;
    if (handle.refusedIn === this.#room) return this.#overflowSeries();
    const { shape, key } = handle.labels;
    const series = this.#series.get(key) ?? this.#register(shape, key);
    if (series === null) {
      handle.refusedIn = this.#room;
      return this.#overflowSeries();
    }
    handle.series = series;
    return series;
  }

  refuseValue(): void {
    this.#shared.tally.refused(this.name);
  }

  /** Ends a live series; its final count goes to the tally. */
  end(series: Series): void {
    if (!series.live) return;
    const count = this.type === "histogram" ? observations(series) : series.value;
    series.live = false;
    this.#series.delete(series.labels.key);
    this.#pool.free(series);
    this.#shared.labels.release(series.labels);
    this.order.ended(this.#series.size);
    this.#room++;
    if (this.type !== "gauge" && count > 0) this.#shared.tally.expired(this.name, count);
  }

  /** Takes new settings while running. New buckets restart the histograms at 0. */
  configure(settings: EffectiveSettings): void {
    const { layout } = this.#settings;
    this.#settings = settings;
    this.#room++;
    if (settings.layout === null || layout === null || sameLayout(settings.layout, layout)) return;
    const pool = this.#shared.pool(settings.layout.stride);
    for (const series of this.#series.values()) {
      this.#pool.free(series);
      pool.allocate(series);
      series.layout = settings.layout;
      series.created = this.time.tick;
    }
    this.#pool = pool;
  }

  /** Ends the metric. What its handles do from now on is lost on purpose. */
  close(): void {
    this.clear();
    this.#sink = this.#unregistered();
    this.#sink.page = new Float64Array(this.#pool.stride);
  }

  #shapeOf(names: readonly string[]): LabelShape {
    if (this.#shape === null || !sameNames(this.#shape.names, names)) {
      this.#shape = this.#shared.shapes.find(names, this.type === "histogram");
    }
    return this.#shape;
  }

  #keyOf(shape: LabelShape, values: readonly string[]): string {
    const { labels, tally } = this.#shared;
    const key = labels.key(shape, values);
    if (labels.cut > 0) tally.cut(this.name, labels.cut);
    return key;
  }

  #register(shape: LabelShape, key: string): Series | null {
    if (this.#sink !== null) return null;
    if (this.size < this.#settings.budget) return this.#add(shape, key);
    this.#shared.tally.overflowed(this.name);
    return null;
  }

  #add(shape: LabelShape, key: string): Series {
    const labels = this.#shared.labels.acquire(shape, key);
    const series = new Series(labels, this.#settings.layout, this.time.tick);
    this.#pool.allocate(series);
    this.#series.set(key, series);
    this.order.add(series);
    return series;
  }

  #overflowSeries(): Series {
    if (this.#overflow === null || !this.#overflow.live) {
      const shape = this.#shared.shapes.find(OVERFLOW_NAMES, false);
      const key = this.#shared.labels.key(shape, OVERFLOW_VALUES);
      this.#overflow = this.#series.get(key) ?? this.#add(shape, key);
    }
    return this.#overflow;
  }

  #unregistered(): Series {
    return new Series(new LabelSet(this.#shapeOf([]), ""), this.#settings.layout, this.time.tick);
  }
}
