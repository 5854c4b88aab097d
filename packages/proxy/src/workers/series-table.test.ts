import { VirtualClock } from "@mixerless/clock";
import { MetricStore, OPENMETRICS_FORMAT, parseExposition, TEXT_FORMAT, textToByteString } from "@mixerless/metrics";
import { describe, expect, it } from "vitest";
import { ExpositionReader } from "./exposition-reader.ts";
import { SeriesTable } from "./series-table.ts";
import { printTable } from "./table-text.ts";

/** Stores of workers, collected as the primary does. */
class Workers {
  readonly table = new SeriesTable(1000);
  readonly stores = new Map<number, MetricStore>();
  heads = new Map<string, string>();

  store(number: number): MetricStore {
    let store = this.stores.get(number);
    if (store === undefined) {
      store = new MetricStore({ clock: new VirtualClock() });
      this.stores.set(number, store);
    }
    return store;
  }

  add(number: number, labels: Record<string, string>, amount: number): void {
    this.store(number)
      .counter({ name: "requests_total", help: "Requests." })
      .series(Object.keys(labels), Object.values(labels))
      .add(amount);
  }

  collect(openMetrics = false, pieceBytes = 7): void {
    this.table.begin();
    for (const [number, store] of this.stores) {
      const reader = new ExpositionReader(openMetrics, (series) => this.table.put(number, series));
      const format = openMetrics ? OPENMETRICS_FORMAT : TEXT_FORMAT;
      const bytes = Buffer.from(store.text({ format, plainBounds: true }));
      for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
      void this.table.complete(number);
      this.heads = reader.heads;
    }
  }

  end(number: number, now = 0): void {
    this.stores.delete(number);
    void this.table.retire(number, now);
  }

  async text(openMetrics = false): Promise<string> {
    const pieces: Uint8Array[] = [];
    for await (const piece of printTable(this.table, { openMetrics, heads: this.heads, shown: () => true }))
      pieces.push(piece);
    return Buffer.concat(pieces).toString("utf8");
  }

  async samples(): Promise<Record<string, number>> {
    const parsed = parseExposition(await this.text());
    if (!("samples" in parsed)) throw new Error(JSON.stringify(parsed.faults));
    const own = parsed.samples.filter(({ name }) => !name.startsWith("mixerless_"));
    return Object.fromEntries(own.map(({ name, labels, value }) => [name + JSON.stringify(labels), value]));
  }
}

describe("the series of two workers", () => {
  it("are summed by name and labels, and those of one stay", async () => {
    const workers = new Workers();
    workers.add(1, { to: "a" }, 2);
    workers.add(2, { to: "a" }, 3);
    workers.add(2, { to: textToByteString('é {"x", 1}\n') }, 4);
    workers.collect();
    expect(await workers.samples()).toEqual({
      'requests_total{"to":"a"}': 5,
      [`requests_total${JSON.stringify({ to: 'é {"x", 1}\n' })}`]: 4,
    });
  });

  it("print exactly as one store does that has them all, in both formats", async () => {
    for (const openMetrics of [false, true]) {
      const workers = new Workers();
      const whole = new MetricStore({ clock: new VirtualClock() });
      const fill = (store: MetricStore, times: number) => {
        store.counter({ name: "plain", help: "No total." }).series([], []).add(times);
        store.counter({ name: "requests_total", help: "Requests." }).series(["to"], ["a"]).add(times);
        store.gauge({ name: "active", help: "Active." }).series(["to"], ["a"]).set(times);
        const family = store.histogram({ name: "took_milliseconds", help: "Took.", buckets: [0.5, 1, 10] });
        for (let i = 0; i < times; i++) {
          family.series(["to"], ["a"]).record(i * 0.5);
          family.series([], []).record(100);
        }
      };
      fill(workers.store(1), 3);
      workers.collect(openMetrics);
      const format = openMetrics ? OPENMETRICS_FORMAT : TEXT_FORMAT;
      fill(whole, 3);
      expect(await workers.text(openMetrics)).toBe(whole.text({ format, plainBounds: true }));
      fill(workers.store(2), 3);
      workers.collect(openMetrics);
      expect(await workers.samples().catch(() => ({}))).toMatchObject(
        openMetrics
          ? {}
          : {
              'took_milliseconds_bucket{"to":"a","le":"0.5"}': 4,
              'took_milliseconds_sum{"to":"a"}': 3,
              'took_milliseconds_count{"to":"a"}': 6,
              "took_milliseconds_sum{}": 600,
              'active{"to":"a"}': 6,
            },
      );
    }
  });
});

describe("counters do not go backwards", () => {
  it("when a worker ends, and the next one begins at 0", async () => {
    const workers = new Workers();
    workers.add(1, { to: "a" }, 10);
    workers.add(2, { to: "a" }, 5);
    workers.add(2, { to: "b" }, 1);
    workers.collect();
    workers.end(2);
    expect(await workers.samples()).toEqual({ 'requests_total{"to":"a"}': 15, 'requests_total{"to":"b"}': 1 });
    workers.add(3, { to: "a" }, 1);
    workers.collect();
    expect(await workers.samples()).toEqual({ 'requests_total{"to":"a"}': 16, 'requests_total{"to":"b"}': 1 });
  });

  it("when a series expires in one worker and another one still has it", async () => {
    const workers = new Workers();
    workers.add(1, { to: "a" }, 10);
    workers.add(2, { to: "a" }, 5);
    workers.collect();
    workers.store(2).remove("requests_total");
    workers.collect();
    expect(await workers.samples()).toEqual({ 'requests_total{"to":"a"}': 15 });
    workers.add(2, { to: "a" }, 7);
    workers.collect();
    expect(await workers.samples()).toEqual({ 'requests_total{"to":"a"}': 22 });
  });

  it("when a series began anew in a worker between two collections; its buckets still add up", async () => {
    const workers = new Workers();
    const record = (...values: number[]) => {
      const family = workers.store(1).histogram({ name: "took", help: "", buckets: [1] });
      for (const value of values) family.series([], []).record(value);
    };
    record(0, 0, 0);
    workers.collect();
    workers.store(1).remove("took");
    record(0, 0, 5, 5);
    workers.collect();
    expect(await workers.samples()).toMatchObject({
      'took_bucket{"le":"1"}': 5,
      'took_bucket{"le":"+Inf"}': 7,
      "took_sum{}": 10,
      "took_count{}": 7,
    });
  });
});

describe("the sums", () => {
  it("lose the gauges of a worker that ended", async () => {
    const workers = new Workers();
    for (const number of [1, 2]) workers.store(number).gauge({ name: "active", help: "" }).series([], []).set(number);
    workers.collect();
    workers.end(2);
    expect(await workers.samples()).toEqual({ "active{}": 1 });
    workers.end(1);
    expect(await workers.samples()).toEqual({});
  });

  it("lose a series that expired in every worker", async () => {
    const workers = new Workers();
    workers.add(1, { to: "a" }, 10);
    workers.add(2, { to: "a" }, 10);
    workers.collect();
    workers.end(2);
    workers.store(1).remove("requests_total");
    workers.collect();
    expect(await workers.samples()).toEqual({});
  });

  it("keep what only ended workers counted for as long as an idle series lives", async () => {
    const workers = new Workers();
    workers.add(1, { to: "a" }, 10);
    workers.collect();
    workers.end(1, 500);
    await workers.table.expire(1499);
    expect(await workers.samples()).toEqual({ 'requests_total{"to":"a"}': 10 });
    await workers.table.expire(1500);
    expect(await workers.samples()).toEqual({});
  });

  it("begin at 0 when the counters of the workers were set back", async () => {
    const workers = new Workers();
    workers.add(1, { to: "a" }, 10);
    workers.add(2, { to: "a" }, 5);
    workers.collect();
    workers.end(2);
    workers.store(1).resetCounters();
    await workers.table.reset();
    workers.add(1, { to: "a" }, 3);
    workers.collect();
    expect(await workers.samples()).toEqual({ 'requests_total{"to":"a"}': 3 });
  });

  it("give up a flood of series of workers that end again and again", async () => {
    const workers = new Workers();
    for (let number = 1; number <= 3; number++) {
      const series = (i: number) => ({
        ...{ family: "a_total", kind: "counter" as const, layout: null },
        labels: `x="${number}-${i}"`,
        values: [1],
      });
      workers.table.begin();
      for (let i = 0; i < 30_000; i++) workers.table.put(number, series(i));
      await workers.table.retire(number, 0);
    }
    const [family] = workers.table.families;
    expect(family?.entries.size).toBe(50_000);
  });
});
