import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LabelShapes } from "./label-shape.ts";
import { LabelTable } from "./label-table.ts";
import { Series } from "./series.ts";
import { SeriesOrder } from "./series-order.ts";

const shapes = new LabelShapes();
const labels = new LabelTable();

function createSeries(value: number): Series {
  const shape = shapes.find(["a"], false);
  return new Series(labels.acquire(shape, labels.key(shape, [`${value}`])), null, 1);
}

function finish(walk: Generator<void, readonly Series[]>): readonly Series[] {
  for (;;) {
    const step = walk.next();
    if (step.done === true) return step.value;
  }
}

function texts(series: readonly Series[]): string[] {
  return series.filter((one) => one.live).map((one) => one.labels.text());
}

describe("the order of series", () => {
  it("loses and doubles none, whatever happens between the slices of several walks", () => {
    // Each number picks what happens next: a step of a walk, many new series, or the end of some.
    const events = fc.array(fc.nat(9), { minLength: 5, maxLength: 80 });
    fc.assert(
      fc.property(events, (all) => {
        const order = new SeriesOrder();
        const live = new Set<Series>();
        const walks: Generator<void, readonly Series[]>[] = [];
        let next = 0;
        for (const event of all) {
          if (event < 3) {
            for (let i = 0; i < 200 * event + 1; i++) {
              const series = createSeries((next++ * 7919) % 1_000_003);
              live.add(series);
              order.add(series);
            }
          } else if (event === 3) {
            for (const series of [...live].slice(0, 300)) {
              series.live = false;
              live.delete(series);
              order.ended(live.size);
            }
          } else if (event < 6) walks.push(order.walk());
          else {
            const index = event % Math.max(walks.length, 1);
            if (walks[index]?.next().done === true) walks.splice(index, 1);
          }
        }
        for (const walk of walks) {
          const walked = texts(finish(walk));
          expect(walked).toEqual([...walked].sort());
          expect(new Set(walked).size).toBe(walked.length);
        }
        const expected = [...live].map((series) => series.labels.text()).sort();
        expect(texts(finish(order.walk()))).toEqual(expected);
        expect(texts(finish(order.walk()))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ["also when nobody ever asks for it", 20_000],
    ["also when it is asked for again and again", 50],
  ])("forgets series that ended, %s", (_, every) => {
    const order = new SeriesOrder();
    for (let i = 0; i < 10_000; i++) {
      const series = createSeries(i);
      order.add(series);
      if (i % every === every - 1) finish(order.walk());
      series.live = false;
      order.ended(0);
    }
    expect(finish(order.walk()).length).toBeLessThan(200);
  });
});
