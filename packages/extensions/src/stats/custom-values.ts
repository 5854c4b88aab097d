import { StreamContext } from "@mixerless/sdk";
import { wholeNumber } from "./message-reporter.ts";
import { FIRST_CUSTOM } from "./metrics.ts";
import { Plan } from "./plan.ts";
import { SeriesSet } from "./series.ts";

/** Gives the custom metrics their values at the end of a stream. */
export class CustomValues {
  private readonly plan: Plan;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /** What does not print as an unsigned integer counts as 0. */
  give(stream: StreamContext, series: SeriesSet): void {
    const values = this.plan.customValues;
    for (let i: i32 = 0; i < values.length; i++) {
      const text = values[i]!.value(values[i]!.evaluate(stream), null, null);
      series.give(FIRST_CUSTOM + i, text === null ? 0 : wholeNumber(text, 0));
    }
  }
}
