import { nothing, TrafficWindow } from "@mixerless/store";
import { describe, expect, it } from "vitest";
import { trafficPage } from "./traffic-page.ts";

const DEFAULT = "default";
const collector = { states: [{ name: "a.default", url: "", problem: null, samples: 3, bytes: 90 }], problem: null };

function edge(reporter: "source" | "destination", source: string, destination: string, counts: object) {
  const ends = { source, sourceNamespace: DEFAULT, destination, destinationNamespace: DEFAULT, service: destination };
  return { ...ends, reporter, ...nothing(), ...counts };
}

describe("what the page is told of traffic", () => {
  const window = new TrafficWindow({ rounds: 60, edges: 10 });
  window.record(5000, 5000, [
    edge("source", "a", "b", { requests: 10, failures: 1, bytesIn: 500 }),
    edge("destination", "a", "b", { requests: 10, failures: 1, secured: 10, mutualTls: 5 }),
    edge("destination", "unknown", "a", { requests: 20, secured: 20 }),
  ]);
  window.record(10_000, 5000, [edge("source", "a", "b", { requests: 40 })]);
  const connected = [{ name: "a", namespace: DEFAULT, gateway: false }];
  const page = trafficPage(60, window, collector, connected);

  it("has each edge once, with how the calls came as the destination knows it", () => {
    expect(page.seconds).toBe(10);
    expect(page.edges).toMatchObject([
      { source: { name: "unknown" }, destination: { name: "a" }, reporter: "destination", rps: 2, mutualTls: 0 },
      { source: { name: "a" }, destination: { name: "b" }, reporter: "source", rps: 5, mutualTls: 0.5, success: 0.98 },
    ]);
    expect(page.edges[1]).toMatchObject({ bytesIn: 50, history: [2, 8] });
  });

  it("has connected workloads with what they received, and those that only others speak of", () => {
    expect(page.workloads).toMatchObject([
      { name: "a", connected: true, requests: 20, mutualTls: 0 },
      { name: "b", connected: false, requests: 10 },
    ]);
  });

  it("says how the proxies could be read", () => {
    expect(page.proxies).toEqual([{ name: "a.default", problem: null, samples: 3, bytes: 90 }]);
  });
});
