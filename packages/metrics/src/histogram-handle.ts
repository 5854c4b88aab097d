import { bucketOf, imitatedEdge, imitatedSum } from "./buckets.ts";
import type { Histogram } from "./metric.ts";
import { observations, type Series, sumOf } from "./series.ts";
import { SeriesHandle } from "./series-handle.ts";

export class HistogramHandle extends SeriesHandle implements Histogram {
  record(v: number): void {
    if (!Number.isFinite(v)) {
      this.home.refuseValue();
      return;
    }
    const series = this.series.live ? this.series : this.home.rebind(this);
    observe(series, v);
    series.touched = this.home.time.tick;
  }

  get count(): number {
    return this.series.live ? observations(this.series) : 0;
  }

  get sum(): number {
    return this.series.live ? sumOf(this.series) : 0;
  }
}

function observe(series: Series, v: number): void {
  const { layout, page, offset } = series;
  if (layout === null) return;
  const bucket = offset + bucketOf(layout.bounds, layout.imitation ? imitatedEdge(v) : v);
  const sum = offset + layout.stride - 1;
  page[bucket] = (page[bucket] as number) + 1;
  page[sum] = (page[sum] as number) + (layout.imitation ? imitatedSum(v) : v);
}
