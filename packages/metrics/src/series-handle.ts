import type { CoarseTime } from "./coarse-time.ts";
import type { LabelSet } from "./label-set.ts";
import type { Series } from "./series.ts";

/** What a handle needs of its metric. */
export interface SeriesHome {
  readonly time: CoarseTime;
  /**
   * A series for a handle whose own has ended: its own again, if there is room (it is then set as
   * `handle.series`), else the overflow series.
   */
  rebind(handle: SeriesHandle): Series;
  /** Counts a value that makes no sense. */
  refuseValue(): void;
}

/** Common part of the handles. Its fields are seen by this package only. */
export class SeriesHandle {
  readonly home: SeriesHome;
  readonly labels: LabelSet;
  series: Series;
  /** The state of the metric's room in which this handle was refused last: no need to ask again in it. */
  refusedIn = -1;

  constructor(home: SeriesHome, labels: LabelSet, series: Series) {
    this.home = home;
    this.labels = labels;
    this.series = series;
  }
}
