import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { MetricStore } from "./metric-store.ts";
import { OPENMETRICS_FORMAT } from "./negotiate.ts";
import { parseExposition } from "./parse-exposition.ts";

function createStore(budget = 10_000): MetricStore {
  return new MetricStore({ clock: new VirtualClock(), defaultBudget: budget });
}

function lines(...all: string[]): string {
  return all.map((line) => `${line}\n`).join("");
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString("utf8");
}

/** A store with something of every kind, defined in no good order. */
function sampleStore(): MetricStore {
  const store = createStore();
  const duration = store.histogram({
    name: "duration_ms",
    unit: "ms",
    help: 'How "long",\nin \\ ms.',
    buckets: [0.5, 10],
  });
  duration.series(["app"], ["b"]).record(0.25);
  duration.series(["app"], ["a"]).record(10);
  duration.series([], []);
  store.gauge({ name: "istio_build" }).series(["component", "tag"], ["proxy", "1.30.0"]).set(1);
  store.gauge({ name: "active" }).series([], []).set(-1.5);
  const requests = store.counter({ name: "requests_total", help: "Requests." });
  requests.series(["app", "code"], ["b", "200"]).add(3);
  requests.series(["app"], ["b"]).add(2);
  requests.series(["app", "code"], ["a", "503"]).add(1);
  requests.series([], []);
  store.counter({ name: "alarms" }).series([], []).add(1e21);
  store.counter({ name: "empty_total" });
  return store;
}

describe("the text format", () => {
  it("prints counters, gauges, histograms, each by name, samples by the text of their labels", () => {
    expect(sampleStore().text()).toBe(
      lines(
        "# TYPE alarms counter",
        "alarms 1e+21",
        "# HELP requests_total Requests.",
        "# TYPE requests_total counter",
        "requests_total 0",
        'requests_total{app="a",code="503"} 1',
        'requests_total{app="b"} 2',
        'requests_total{app="b",code="200"} 3',
        "# TYPE active gauge",
        "active -1.5",
        "# TYPE istio_build gauge",
        'istio_build{component="proxy",tag="1.30.0"} 1',
        '# HELP duration_ms How "long",\\nin \\\\ ms.',
        "# TYPE duration_ms histogram",
        'duration_ms_bucket{le="0.5"} 0',
        'duration_ms_bucket{le="10"} 0',
        'duration_ms_bucket{le="+Inf"} 0',
        "duration_ms_sum 0",
        "duration_ms_count 0",
        'duration_ms_bucket{app="a",le="0.5"} 0',
        'duration_ms_bucket{app="a",le="10"} 1',
        'duration_ms_bucket{app="a",le="+Inf"} 1',
        'duration_ms_sum{app="a"} 10',
        'duration_ms_count{app="a"} 1',
        'duration_ms_bucket{app="b",le="0.5"} 1',
        'duration_ms_bucket{app="b",le="10"} 1',
        'duration_ms_bucket{app="b",le="+Inf"} 1',
        'duration_ms_sum{app="b"} 0.25',
        'duration_ms_count{app="b"} 1',
      ),
    );
  });

  it("keeps the order of the labels, empty values and all", () => {
    const store = createStore();
    store.counter({ name: "c" }).series(["z", "grpc_response_status", "a"], ["1", "", "2"]).add(1);
    expect(store.text()).toContain('c{z="1",grpc_response_status="",a="2"} 1\n');
  });

  it("escapes what must be escaped and nothing else", () => {
    const store = createStore();
    store.counter({ name: "c" }).series(["a"], ["\\ \" \n ' {},= \t caf\xc3\xa9"]).add(1);
    expect(store.text()).toContain('c{a="\\\\ \\" \\n \' {},= \ufffd café"} 1\n');
  });

  it("prints each series as if it were the only one, whatever was printed before it", () => {
    const store = createStore();
    const names = ["a", "a_much_longer_name", "b"];
    const values = ["", "1", "22", 'q"', "\\", "x".repeat(300)];
    const expected: string[] = [];
    for (const metric of ["c", "d"]) {
      const shape = metric === "c" ? names : [...names].reverse();
      for (const [i, first] of values.entries()) {
        for (const second of values) {
          const labels = [first, second, String(i)];
          store.counter({ name: metric }).series(shape, labels).add(1);
          const alone = createStore();
          alone.counter({ name: metric }).series(shape, labels).add(1);
          expected.push(alone.text().split("\n")[1] ?? "");
        }
      }
    }
    const printed = store.text().split("\n");
    expect(printed.filter((line) => /^[cd]\{/.test(line))).toEqual([...expected].sort());
  });

  it("prints whole numbers of any size exactly", () => {
    const store = createStore();
    const gauge = store.gauge({ name: "g" }).series([], []);
    for (const value of [0, 9, 10, 99, 100, 12_345, 2 ** 31 - 1, 2 ** 31, 2 ** 53, -1, 0.1]) {
      gauge.set(value);
      expect(store.text()).toBe(lines("# TYPE g gauge", `g ${value}`));
    }
  });

  it("shows only series that were used, and only metrics that pass the filter", () => {
    const store = sampleStore();
    const used = store.text({ usedOnly: true, filter: (name) => name === "requests_total" });
    expect(used).toBe(
      lines(
        "# HELP requests_total Requests.",
        "# TYPE requests_total counter",
        'requests_total{app="a",code="503"} 1',
        'requests_total{app="b"} 2',
        'requests_total{app="b",code="200"} 3',
      ),
    );
    expect(store.text({ filter: () => false })).toBe("");
  });

  it("follows series that come and go", () => {
    const store = createStore();
    const family = store.counter({ name: "c" });
    const order = () => [...store.text().matchAll(/^c\{a="(.*)"\}/gm)].map(([, value]) => value);
    const add = (...values: string[]) => {
      for (const value of values) family.series(["a"], [value]).add(1);
    };
    add("m", "z");
    expect(order()).toEqual(["m", "z"]);
    add("n", "a");
    family.remove(["a"], ["m"]);
    expect(order()).toEqual(["a", "n", "z"]);
    add("m");
    expect(order()).toEqual(["a", "m", "n", "z"]);
    for (let i = 0; i < 300; i++) add(`x${i}`);
    for (let i = 0; i < 300; i++) family.remove(["a"], [`x${i}`]);
    add("b");
    expect(order()).toEqual(["a", "b", "m", "n", "z"]);
  });
});

describe("Envoy's style", () => {
  it("has empty braces, no HELP, and all digits of bounds and sums", () => {
    const store = createStore();
    store.counter({ name: "c", help: "None." }).series([], []).add(0);
    store
      .histogram({ name: "h", buckets: [0.1, 1] })
      .series([], [])
      .record(0.1);
    expect(store.text({ envoyStyle: true })).toBe(
      lines(
        "# TYPE c counter",
        "c{} 0",
        "# TYPE h histogram",
        'h_bucket{le="0.10000000000000000555111512312578"} 1',
        'h_bucket{le="1"} 1',
        'h_bucket{le="+Inf"} 1',
        "h_sum{} 0.10000000000000000555111512312578",
        "h_count{} 1",
      ),
    );
  });
});

describe("OpenMetrics", () => {
  it("declares counters without _total, units of names that end in them, and an end", () => {
    const store = createStore();
    store.counter({ name: "requests_total", help: 'A "B"\n\\.' }).series([], []).add(1);
    store.counter({ name: "sent_bytes_total", unit: "bytes" }).series([], []).add(1);
    store.gauge({ name: "size", unit: "bytes" }).series([], []).set(2);
    store
      .histogram({ name: "wait_ms", unit: "ms", buckets: [1, 2.5, 1_800_000] })
      .series([], [])
      .record(1);
    expect(store.text({ format: OPENMETRICS_FORMAT })).toBe(
      lines(
        "# TYPE requests counter",
        '# HELP requests A \\"B\\"\\n\\\\.',
        "requests_total 1",
        "# TYPE sent_bytes counter",
        "# UNIT sent_bytes bytes",
        "sent_bytes_total 1",
        "# TYPE size gauge",
        "size 2",
        "# TYPE wait_ms histogram",
        "# UNIT wait_ms ms",
        'wait_ms_bucket{le="1.0"} 1',
        'wait_ms_bucket{le="2.5"} 1',
        'wait_ms_bucket{le="1.8e+06"} 1',
        'wait_ms_bucket{le="+Inf"} 1',
        "wait_ms_sum 1",
        "wait_ms_count 1",
        "# EOF",
      ),
    );
  });

  it("keeps the names of samples: what can't be a counter is of unknown type", () => {
    const store = createStore();
    store.counter({ name: "rx_bytes" }).series([], []).add(1);
    store.counter({ name: "jobs_total" }).series([], []).add(1);
    store.gauge({ name: "jobs" }).series([], []).set(1);
    const text = store.text({ format: OPENMETRICS_FORMAT });
    expect(text).toContain(lines("# TYPE rx_bytes unknown", "rx_bytes 1"));
    expect(text).toContain(lines("# TYPE jobs_total unknown", "jobs_total 1"));
  });

  it("can print bounds as the text format does", () => {
    const store = createStore();
    store
      .histogram({ name: "h", buckets: [1] })
      .series([], [])
      .record(1);
    expect(store.text({ format: OPENMETRICS_FORMAT, plainBounds: true })).toContain('h_bucket{le="1"} 1\n');
  });

  it("has no sum for histograms of possibly negative values", () => {
    const store = createStore();
    store
      .histogram({ name: "h", buckets: [-1, 1] })
      .series([], [])
      .record(-2);
    expect(store.text({ format: OPENMETRICS_FORMAT })).not.toContain("h_sum");
    expect(store.text()).toContain("h_sum -2\n");
  });

  it("of an empty store is just the end", () => {
    expect(createStore().text({ format: OPENMETRICS_FORMAT })).toBe("# EOF\n");
  });
});

describe("a scrape in pieces", () => {
  function bigStore(): MetricStore {
    const store = createStore(100_000);
    const family = store.counter({ name: "c" });
    for (let i = 0; i < 3000; i++) family.series(["a"], [`${(i * 7919) % 3000}`]).add(i);
    return store;
  }

  it("is the same as at once", async () => {
    const store = sampleStore();
    expect(await collect(store.expose())).toBe(store.text());
    const big = bigStore();
    expect(await collect(big.expose({ format: OPENMETRICS_FORMAT }))).toBe(big.text({ format: OPENMETRICS_FORMAT }));
  });

  it("lets other work have its turn after every 256 series", async () => {
    const store = bigStore();
    await collect(store.expose());
    let turns = 0;
    let running = true;
    const count = () => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    for await (const piece of store.expose()) {
      expect(piece.toString().split("\n").length).toBeLessThanOrEqual(258);
    }
    running = false;
    expect(turns).toBeGreaterThanOrEqual(Math.floor(3000 / 256));
  });

  it("gives pieces away for good", async () => {
    const store = bigStore();
    const pieces: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    for await (const piece of store.expose()) {
      pieces.push(piece);
      copies.push(Uint8Array.from(piece));
    }
    expect(Buffer.compare(Buffer.concat(pieces), Buffer.concat(copies))).toBe(0);
  });

  it("shows every series of one instant while it changes", async () => {
    const store = createStore();
    const family = store.histogram({ name: "h" });
    const handles = Array.from({ length: 1000 }, (_, i) => family.series(["a"], [`${i}`]));
    let text = "";
    for await (const piece of store.expose()) {
      text += Buffer.from(piece).toString();
      for (const handle of handles) handle.record(7);
    }
    const parsed = parseExposition(text);
    if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
    for (const { labels, value } of parsed.samples.filter((sample) => sample.name === "h_count")) {
      const own = parsed.samples.filter((sample) => sample.labels.a === labels.a);
      expect(own.find((sample) => sample.labels.le === "+Inf")?.value).toBe(value);
      expect(own.find((sample) => sample.labels.le === "10")?.value).toBe(value);
      expect(own.find((sample) => sample.name === "h_sum")?.value).toBe(7 * value);
    }
  });

  it("shows every series with buckets that fit while they change", async () => {
    const store = createStore();
    const family = store.histogram({ name: "h", buckets: [1, 2] });
    const handles = Array.from({ length: 1000 }, (_, i) => family.series(["a"], [`${i}`]));
    let text = "";
    for await (const piece of store.expose()) {
      if (text === "") store.configure("h", { buckets: [3] });
      for (const handle of handles) handle.record(3);
      text += Buffer.from(piece).toString();
    }
    const shapes = text
      .match(/(?<=le=")[^"]+/g)
      ?.join(" ")
      .match(/.*?\+Inf/g);
    expect(shapes).toHaveLength(1000);
    expect(new Set(shapes)).toEqual(new Set(["1 2 +Inf", " 1 2 +Inf", " 3 +Inf"]));
  });

  it("survives that series end, come and are scraped by another at the same time", async () => {
    const store = bigStore();
    const family = store.counter({ name: "c" });
    const one = store.expose()[Symbol.asyncIterator]();
    let first = "";
    for (let i = 0; ; i++) {
      const { value, done } = await one.next();
      if (done === true) break;
      first += Buffer.from(value).toString();
      for (let k = 0; k < 100; k++) {
        family.remove(["a"], [`${i * 100 + k}`]);
        family.series(["a"], [`new-${i * 100 + k}`]).add(1);
      }
      const other = await collect(store.expose());
      expect(new Set(other.split("\n")).size).toBe(other.split("\n").length);
    }
    expect(parseExposition(first)).not.toHaveProperty("faults");
    expect(store.text().match(/^c\{/gm)).toHaveLength(family.size);
  });

  it("can be given up half way", async () => {
    const store = bigStore();
    for await (const _ of store.expose()) break;
    expect(store.text().match(/^c\{/gm)).toHaveLength(3000);
  });
});
