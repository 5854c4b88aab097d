import type { Gauge } from "./metric.ts";
import type { Series } from "./series.ts";
import { SeriesHandle } from "./series-handle.ts";

export class GaugeHandle extends SeriesHandle implements Gauge {
  /** The overflow series that holds this handle's level while there is no room, and that level. */
  #lender: Series | null = null;
  #lent = 0;

  set(n: number): void {
    if (!Number.isFinite(n)) {
      this.home.refuseValue();
      return;
    }
    const { series } = this;
    if (!series.live) {
      this.#updateElsewhere(n, true);
      return;
    }
    series.page[series.offset] = n;
    series.balance = false;
    series.touched = this.home.time.tick;
  }

  add(n: number): void {
    if (!Number.isFinite(n)) {
      this.home.refuseValue();
      return;
    }
    const { series } = this;
    if (!series.live) {
      this.#updateElsewhere(n, false);
      return;
    }
    series.bump(n);
    series.balance = true;
    series.touched = this.home.time.tick;
  }

  get value(): number {
    return this.series.live ? this.series.value : this.#level();
  }

  #level(): number {
    return this.#lender?.live ? this.#lent : 0;
  }

  /**
   * The overflow series of a gauge is the sum of the levels that found no room. When this one finds
   * room, its level moves with it; otherwise what was opened in one place would be closed in another.
   */
  #updateElsewhere(n: number, absolute: boolean): void {
    const lent = this.#level();
    const lender = this.#lender;
    const target = this.home.rebind(this);
    target.touched = this.home.time.tick;
    if (target !== this.series) {
      const change = absolute ? n - lent : n;
      target.bump(change);
      if (!absolute) target.balance = true;
      this.#lender = target;
      this.#lent = lent + change;
      return;
    }
    if (lent !== 0) lender?.bump(-lent);
    this.#lender = null;
    this.#lent = 0;
    if (absolute) target.bump(n - target.value);
    else target.bump(lent + n);
    target.balance = !absolute;
  }
}
