import type { Counter } from "./metric.ts";
import { SeriesHandle } from "./series-handle.ts";

export class CounterHandle extends SeriesHandle implements Counter {
  add(n: number): void {
    if (!(n >= 0 && n < Number.POSITIVE_INFINITY)) {
      this.home.refuseValue();
      return;
    }
    const series = this.series.live ? this.series : this.home.rebind(this);
    const { page, offset } = series;
    page[offset] = (page[offset] as number) + n;
    series.touched = this.home.time.tick;
  }

  get value(): number {
    return this.series.live ? this.series.value : 0;
  }
}
