import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { Collector, type Target } from "./collector.ts";
import { TrafficWindow } from "./traffic-window.ts";

const INTERVAL = 5000;
const series = (requests: number) =>
  `# TYPE istio_requests_total counter\nistio_requests_total{reporter="source",source_workload="a",destination_workload="b",response_code="200"} ${requests}\n`;

function collect(pages: Record<string, string | Error>, targets: () => Promise<readonly Target[]>) {
  const clock = new VirtualClock();
  const window = new TrafficWindow({ rounds: 60, edges: 10 });
  const fetch = async (url: string) => {
    const page = pages[url];
    if (page === undefined || page instanceof Error) throw page ?? new Error("nobody listens");
    return page;
  };
  const collector = new Collector({ clock, interval: INTERVAL, window, targets, fetch });
  const round = async () => {
    clock.advance(INTERVAL);
    await settled();
  };
  return { clock, collector, window, round };
}

/** All promises that are waiting have run on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const named = (...names: string[]) => names.map((name) => ({ name, url: name }));
const requests = (window: TrafficWindow) => window.read(3_600_000, 1).edges[0]?.traffic.requests ?? 0;

describe("the collector", () => {
  it("counts what comes after its first look at a proxy", async () => {
    const pages: Record<string, string | Error> = { p: series(1000) };
    const { collector, window, round } = collect(pages, async () => named("p"));
    collector.start();
    await settled();
    expect(requests(window)).toBe(0);
    pages.p = series(1007);
    await round();
    expect(requests(window)).toBe(7);
    pages.p = series(2);
    await round();
    expect(requests(window), "a proxy that started anew counts from zero").toBe(9);
    expect(collector.states).toMatchObject([{ name: "p", problem: null, samples: 1 }]);
    collector.close();
  });

  it("says which proxy can't be read, and goes on with the others", async () => {
    const pages: Record<string, string | Error> = { p: series(1), q: new Error("connection refused") };
    const { collector, window, round } = collect(pages, async () => named("p", "q"));
    collector.start();
    await settled();
    pages.p = series(4);
    await round();
    expect(requests(window)).toBe(3);
    expect(collector.states.map(({ name, problem }) => [name, problem])).toEqual([
      ["p", null],
      ["q", "connection refused"],
    ]);
    collector.close();
  });

  it("keeps what it has while the control plane is away, and says so", async () => {
    const pages: Record<string, string | Error> = { p: series(1) };
    let away = false;
    const { collector, window, round } = collect(pages, async () => {
      if (away) throw new Error("the control plane does not answer");
      return named("p");
    });
    collector.start();
    await settled();
    pages.p = series(3);
    await round();
    away = true;
    await round();
    expect(collector.problem).toBe("the control plane does not answer");
    expect(requests(window)).toBe(2);
    away = false;
    pages.p = series(8);
    await round();
    expect(collector.problem).toBeNull();
    expect(requests(window)).toBe(7);
    collector.close();
  });
});
