import { VirtualClock } from "@mixerless/clock";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Counter } from "./metric.ts";
import { MetricStore } from "./metric-store.ts";
import { parseExposition } from "./parse-exposition.ts";
import { findSamples, sampleKey, sumSamples } from "./samples.ts";

/** The rules of decision 6 and of the budget, as naively as they can be written. */
class Model {
  readonly live = new Map<string, { value: number; tick: number }>();
  budget = 3;
  idle = 10;
  expired = 0;
  refused = 0;
  /** Changes when a refused handle may ask again. */
  room = 0;
  #now = 0;

  /** A handle is the labels and the room in which it was refused last. */
  readonly handles: { key: string; refusedIn: number }[] = [];

  register(key: string): void {
    const handle = { key, refusedIn: -1 };
    this.handles.push(handle);
    this.#admit(handle);
  }

  add(index: number, n: number): void {
    const handle = this.handles[index % this.handles.length];
    if (handle === undefined) return;
    const admitted = handle.refusedIn !== this.room && this.#admit(handle);
    const series = this.#open(admitted ? handle.key : OVERFLOW);
    series.value += n;
    series.tick = this.#tick();
  }

  remove(key: string): void {
    this.#end(key);
  }

  clear(): void {
    for (const key of [...this.live.keys()]) this.#end(key);
  }

  configure(budget: number, idle: number): void {
    this.budget = budget;
    this.idle = idle;
    this.room++;
  }

  advance(ms: number): void {
    for (let i = 0; i < ms; i += 500) {
      this.#now += 500;
      if (this.#now % 1000 !== 0) continue;
      for (const [key, series] of [...this.live]) if (this.#tick() - series.tick > this.idle) this.#end(key);
    }
  }

  #tick(): number {
    return Math.floor(this.#now / 1000);
  }

  #admit(handle: { key: string; refusedIn: number }): boolean {
    const size = [...this.live.keys()].filter((key) => key !== OVERFLOW).length;
    if (!this.live.has(handle.key) && size >= this.budget) {
      handle.refusedIn = this.room;
      this.refused++;
      return false;
    }
    handle.refusedIn = -1;
    this.#open(handle.key);
    return true;
  }

  #open(key: string): { value: number; tick: number } {
    let series = this.live.get(key);
    if (series === undefined) {
      series = { value: 0, tick: this.#tick() };
      this.live.set(key, series);
    }
    return series;
  }

  #end(key: string): void {
    const series = this.live.get(key);
    if (series === undefined) return;
    this.live.delete(key);
    this.expired += series.value;
    this.room++;
  }
}

const OVERFLOW = 'm{mixerless_overflow="true"}';

type Labels = Record<string, string>;
type Command =
  | { do: "register" | "remove"; labels: Labels }
  | { do: "add"; handle: number; n: number }
  | { do: "advance"; ms: number }
  | { do: "configure"; budget: number; idle: number }
  | { do: "clear" };

const labels: fc.Arbitrary<Labels> = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("", "1", "2"), {
  noNullPrototype: true,
});
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: labels.map((of): Command => ({ do: "register", labels: of })) },
  { weight: 1, arbitrary: labels.map((of): Command => ({ do: "remove", labels: of })) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("add" as const), handle: fc.nat(50), n: fc.nat(1000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat(30).map((halves) => halves * 500) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("configure" as const),
      budget: fc.nat(6),
      idle: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Command>({ do: "clear" }) },
);

class Harness {
  readonly clock = new VirtualClock();
  readonly store = new MetricStore({ clock: this.clock, idleExpiry: 10_000, defaultBudget: 3 });
  readonly family = this.store.counter({ name: "m" });
  readonly model = new Model();
  readonly handles: Counter[] = [];
  added = 0;

  run(step: Command): void {
    const { model, family, handles } = this;
    switch (step.do) {
      case "register":
        handles.push(family.series(Object.keys(step.labels), Object.values(step.labels)));
        model.register(sampleKey("m", step.labels));
        break;
      case "remove":
        family.remove(Object.keys(step.labels), Object.values(step.labels));
        model.remove(sampleKey("m", step.labels));
        break;
      case "add":
        if (handles.length === 0) break;
        handles[step.handle % handles.length]?.add(step.n);
        model.add(step.handle, step.n);
        this.added += step.n;
        break;
      case "advance":
        this.clock.advance(step.ms);
        model.advance(step.ms);
        break;
      case "configure":
        this.store.configure("m", { budget: step.budget, idleExpiry: step.idle * 1000 });
        model.configure(step.budget, step.idle);
        break;
      case "clear":
        family.clear();
        model.clear();
        break;
    }
  }

  check(): void {
    const parsed = parseExposition(this.store.text());
    if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
    const live = findSamples(parsed.samples, "m").map((sample) => [sampleKey("m", sample.labels), sample.value]);
    expect(new Set(live.map(([key]) => key)).size).toBe(live.length);
    expect(Object.fromEntries(live)).toEqual(
      Object.fromEntries([...this.model.live].map(([key, { value }]) => [key, value])),
    );
    const expired = sumSamples(parsed.samples, "mixerless_expired_total", { metric: "m" });
    expect(expired).toBe(this.model.expired);
    expect(sumSamples(parsed.samples, "mixerless_series_overflow_total")).toBe(this.model.refused);
    // Whatever happens, nothing that was added is lost.
    expect(sumSamples(parsed.samples, "m") + expired).toBe(this.added);
  }
}

describe("the store", () => {
  it("does what a naive model does, under any order of events", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const harness = new Harness();
        for (const step of commands) {
          harness.run(step);
          harness.check();
        }
        harness.store.close();
        expect(harness.clock.pending).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
