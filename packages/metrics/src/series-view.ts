import type { CoarseTime } from "./coarse-time.ts";
import type { HistogramView, SeriesView } from "./metric.ts";
import { observations, type Series, sumOf } from "./series.ts";

/** A copy of a live series, of one instant. */
export function viewSeries(series: Series, time: CoarseTime): SeriesView {
  const histogram = viewHistogram(series);
  return {
    labels: series.labels.pairs(),
    value: histogram === null ? series.value : histogram.count,
    histogram,
    used: series.touched > 0,
    startTime: time.wallTime(series.created),
  };
}

function viewHistogram(series: Series): HistogramView | null {
  const { layout, page, offset } = series;
  if (layout === null) return null;
  const counts = [...page.subarray(offset, offset + layout.stride - 1)];
  return { bounds: [...layout.bounds], counts, sum: sumOf(series), count: observations(series) };
}
