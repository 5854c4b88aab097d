import { VirtualClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { expect, it } from "vitest";
import { GroupSeries } from "./group-series.ts";

/** Given, also measures the longest turn of a merge of 100,000 series of two workers; milliseconds it may take. */
const LIMIT = Number(process.env.MIXERLESS_MERGE_TURN_MS ?? 0);
const SERIES = LIMIT > 0 ? 100_000 : 3000;

function storeOf(series: number): MetricStore {
  const store = new MetricStore({ clock: new VirtualClock() });
  store.configureDefaults({ budget: series });
  const names = ["source_workload", "destination_workload", "destination_service", "response_code"];
  const durations = store.histogram({ name: "istio_request_duration_milliseconds", buckets: [1, 5, 10, 50, 100, 500] });
  for (let i = 0; i < series; i++)
    durations
      .series(names, ["productpage-v1", `reviews-${i}`, `reviews-${i}.default.svc.cluster.local`, "200"])
      .record(i);
  return store;
}

function merged(stores: readonly MetricStore[]): GroupSeries {
  const living = stores.map((store, i) => {
    const ask = async () => ({ status: 200, contentType: "", body: store.expose() });
    return { number: i + 1, questions: { ask } };
  });
  return new GroupSeries({
    clock: new VirtualClock(),
    log: () => {},
    living: () => living as never,
    primary: async function* () {},
  });
}

/** Turns of the event loop that passed, and the longest of them, milliseconds. */
async function watched(action: () => Promise<void>): Promise<{ turns: number; longest: number }> {
  let [turns, longest, last, over] = [0, 0, performance.now(), false];
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await action();
  over = true;
  return { turns, longest };
}

it("merges the series of workers in many short turns, again when it knows them already", async () => {
  const series = merged([storeOf(SERIES), storeOf(SERIES)]);
  for (let scrape = 0; scrape < 3; scrape++) {
    let bytes = 0;
    const { turns, longest } = await watched(async () => {
      for await (const piece of series.expose()) bytes += piece.length;
    });
    expect(bytes).toBeGreaterThan(SERIES * 500);
    // At least one turn for each slice that is printed.
    expect(turns).toBeGreaterThan(SERIES / 256);
    if (LIMIT === 0) continue;
    process.stderr.write(`${(bytes / 2 ** 20).toFixed(0)} MiB, ${turns} turns, longest ${longest.toFixed(1)} ms\n`);
    expect(longest).toBeLessThan(LIMIT);
  }
}, 120_000);
