import type { BucketLayout } from "./buckets.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { MetricType } from "./metric.ts";
import { formatCanonical, formatEnvoy, formatValue } from "./number-text.ts";
import { type Series, sumOf } from "./series.ts";

/** How numbers and samples without labels look. */
export interface TextStyle {
  /** Empty braces for a sample without labels; bounds and sums with all digits of the double. */
  readonly envoy: boolean;
  /** Bounds as OpenMetrics wants them. */
  readonly canonicalBounds: boolean;
  /** OpenMetrics has no sum for a histogram of possibly negative values. */
  readonly sumOfNegatives: boolean;
}

const OPEN = Buffer.from("{");
const COMMA = Buffer.from(",");
const CLOSE = Buffer.from("} ");
const SPACE = Buffer.from(" ");
const INFINITE_BUCKET = Buffer.from('le="+Inf"} ');

/** Writes the samples of one metric. Names and bounds are turned into bytes once. */
export class FamilyText {
  readonly #style: TextStyle;
  readonly #name: Buffer;
  readonly #bucket: Buffer;
  readonly #sum: Buffer;
  readonly #count: Buffer;
  readonly #histogram: boolean;
  #layout: BucketLayout | null = null;
  #bounds: readonly Buffer[] = [];

  constructor(name: string, type: MetricType, style: TextStyle) {
    this.#style = style;
    this.#histogram = type === "histogram";
    this.#name = Buffer.from(name);
    this.#bucket = Buffer.from(`${name}_bucket{`);
    this.#sum = Buffer.from(`${name}_sum`);
    this.#count = Buffer.from(`${name}_count`);
  }

  /** Writes all samples of a live series. */
  write(out: ByteWriter, series: Series): void {
    if (this.#histogram) this.#writeHistogram(out, series);
    else this.#writeSample(out, this.#name, series, series.value);
  }

  #writeSample(out: ByteWriter, name: Buffer, series: Series, value: number): void {
    this.#writeName(out, name, series);
    out.valueLine(value);
  }

  #writeName(out: ByteWriter, name: Buffer, series: Series): void {
    const labels = series.labels.text();
    out.few(name);
    if (labels.length === 0 && !this.#style.envoy) {
      out.few(SPACE);
      return;
    }
    out.few(OPEN);
    out.latin1(labels);
    out.few(CLOSE);
  }

  #writeHistogram(out: ByteWriter, series: Series): void {
    const { page, offset, layout } = series;
    if (layout === null) return;
    const bounds = this.#boundsOf(layout);
    const start = out.length;
    this.#writeBucketHead(out, series);
    const end = out.length;
    let count = 0;
    for (let i = 0; i < layout.stride - 1; i++) {
      if (i > 0) out.again(start, end);
      out.few(bounds[i] ?? INFINITE_BUCKET);
      count += page[offset + i] as number;
      out.valueLine(count);
    }
    if (this.#style.sumOfNegatives || !((layout.bounds[0] ?? 0) < 0)) this.#writeSum(out, series);
    this.#writeSample(out, this.#count, series, count);
  }

  #writeBucketHead(out: ByteWriter, series: Series): void {
    const labels = series.labels.text();
    out.few(this.#bucket);
    if (labels.length === 0) return;
    out.latin1(labels);
    out.few(COMMA);
  }

  #writeSum(out: ByteWriter, series: Series): void {
    if (!this.#style.envoy) {
      this.#writeSample(out, this.#sum, series, sumOf(series));
      return;
    }
    this.#writeName(out, this.#sum, series);
    out.ascii(`${formatEnvoy(sumOf(series))}\n`);
  }

  /** The series of a metric share one layout, but for a moment while it changes. */
  #boundsOf(layout: BucketLayout): readonly Buffer[] {
    if (layout !== this.#layout) {
      this.#layout = layout;
      this.#bounds = Array.from(layout.bounds, (bound) => Buffer.from(`le="${this.#formatBound(bound)}"} `));
    }
    return this.#bounds;
  }

  #formatBound(bound: number): string {
    if (this.#style.envoy) return formatEnvoy(bound);
    return this.#style.canonicalBounds ? formatCanonical(bound) : formatValue(bound);
  }
}
