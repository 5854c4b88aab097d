import { CounterHandle, GaugeHandle, HistogramHandle, RootContext } from "@mixerless/sdk";
import { COUNTER, GAUGE, Metric } from "./metrics.ts";

/**
 * The series of all metrics for one set of label values. A series comes into being with its first value, so that nothing
 * shows a metric that was never recorded.
 */
export class SeriesSet {
  private readonly root: RootContext;
  private readonly metrics: Metric[];
  /** The standard values, then those of the dimensions. */
  private readonly values: string[];
  private readonly counters: Array<CounterHandle | null> = [];
  private readonly gauges: Array<GaugeHandle | null> = [];
  private readonly histograms: Array<HistogramHandle | null> = [];

  constructor(root: RootContext, metrics: Metric[], values: string[]) {
    this.root = root;
    this.metrics = metrics;
    this.values = values;
    for (let i: i32 = 0; i < metrics.length; i++) {
      this.counters.push(null);
      this.gauges.push(null);
      this.histograms.push(null);
    }
  }

  /** Adds to the counter at this index of the metrics. */
  add(index: i32, n: f64): void {
    const ready = this.counters[index] as CounterHandle | null;
    const counter = ready !== null ? ready : this.makeCounter(index);
    if (counter !== null) counter.add(n);
  }

  /** Records into the histogram at this index of the metrics. */
  record(index: i32, value: f64): void {
    const ready = this.histograms[index] as HistogramHandle | null;
    const histogram = ready !== null ? ready : this.makeHistogram(index);
    if (histogram !== null) histogram.record(value);
  }

  /** Gives a value to the metric at this index, whatever its type. */
  give(index: i32, value: f64): void {
    const type: i32 = this.metrics[index]!.type;
    if (type === COUNTER) this.add(index, value);
    else if (type === GAUGE) this.set(index, value);
    else this.record(index, value);
  }

  private set(index: i32, value: f64): void {
    const ready = this.gauges[index] as GaugeHandle | null;
    const gauge = ready !== null ? ready : this.makeGauge(index);
    if (gauge !== null) gauge.set(value);
  }

  private makeCounter(index: i32): CounterHandle | null {
    const metric = this.metrics[index]!;
    if (metric.dropped) return null;
    const counter = this.root.counter(metric.name, metric.labels(), metric.values(this.values));
    this.counters[index] = counter;
    return counter;
  }

  private makeGauge(index: i32): GaugeHandle | null {
    const metric = this.metrics[index]!;
    if (metric.dropped) return null;
    const gauge = this.root.gauge(metric.name, metric.labels(), metric.values(this.values));
    this.gauges[index] = gauge;
    return gauge;
  }

  private makeHistogram(index: i32): HistogramHandle | null {
    const metric = this.metrics[index]!;
    if (metric.dropped) return null;
    const histogram = this.root.histogram(metric.name, metric.labels(), metric.values(this.values));
    this.histograms[index] = histogram;
    return histogram;
  }
}
