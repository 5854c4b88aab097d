import { CounterHandle, GaugeHandle, HistogramHandle } from "../native/handles.ts";

/** One recorded series. */
export interface FakeSeries {
  /** Of the metric. */
  readonly name: string;
  /** What it is. */
  readonly type: "counter" | "gauge" | "histogram";
  /** Names of its labels. */
  readonly labels: readonly string[];
  /** Values of its labels. */
  readonly values: readonly string[];
  /** Total of a counter, last value of a gauge, sum of a histogram. */
  value: number;
  /** The values that a histogram was given, in order. */
  readonly recorded: number[];
}

class FakeCounter extends CounterHandle {
  readonly #series: FakeSeries;

  constructor(series: FakeSeries) {
    super();
    this.#series = series;
  }

  add(n: number): void {
    this.#series.value += Math.max(n, 0);
  }
}

class FakeGauge extends GaugeHandle {
  readonly #series: FakeSeries;

  constructor(series: FakeSeries) {
    super();
    this.#series = series;
  }

  set(value: number): void {
    this.#series.value = Math.max(value, 0);
  }
}

class FakeHistogram extends HistogramHandle {
  readonly #series: FakeSeries;

  constructor(series: FakeSeries) {
    super();
    this.#series = series;
  }

  record(value: number): void {
    this.#series.value += Math.max(value, 0);
    this.#series.recorded.push(Math.max(value, 0));
  }
}

/** A store of series that only remembers. Equal names and labels give the same series. */
export class FakeMetrics {
  readonly #series = new Map<string, FakeSeries>();

  /** The series of a counter. */
  counter(name: string, labels: readonly string[], values: readonly string[]): CounterHandle {
    return new FakeCounter(this.#find("counter", name, labels, values));
  }

  /** The series of a gauge. */
  gauge(name: string, labels: readonly string[], values: readonly string[]): GaugeHandle {
    return new FakeGauge(this.#find("gauge", name, labels, values));
  }

  /** The series of a histogram. */
  histogram(name: string, labels: readonly string[], values: readonly string[]): HistogramHandle {
    return new FakeHistogram(this.#find("histogram", name, labels, values));
  }

  /** The series of one metric, in the order of their first appearance. */
  family(name: string): FakeSeries[] {
    return this.all().filter((series) => series.name === name);
  }

  /** Every series, in the order of their first appearance. */
  all(): FakeSeries[] {
    return [...this.#series.values()];
  }

  /** All series as lines `name{label="value",…} value`, sorted; histograms show what they were given. */
  lines(): string[] {
    return this.all().map(line).sort();
  }

  #find(type: FakeSeries["type"], name: string, labels: readonly string[], values: readonly string[]): FakeSeries {
    const key = JSON.stringify([type, name, labels, values]);
    let series = this.#series.get(key);
    if (series === undefined) {
      if (labels.length !== values.length) throw new Error(`${name}: ${labels.length} labels, ${values.length} values`);
      series = { name, type, labels: [...labels], values: [...values], value: 0, recorded: [] };
      this.#series.set(key, series);
    }
    return series;
  }
}

function line(series: FakeSeries): string {
  const pairs = series.labels.map((label, i) => `${label}=${JSON.stringify(series.values[i])}`);
  const value = series.type === "histogram" ? `[${series.recorded.join(" ")}]` : String(series.value);
  return `${series.name}{${pairs.join(",")}} ${value}`;
}
