import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { SERVER_METRICS } from "./definitions.ts";
import { MetricSet } from "./metric-set.ts";
import { SeriesRegistry } from "./series-registry.ts";

const RESOURCE = { type: "k8s_pod", labels: {} } as const;

describe("series of a proxy", () => {
  it("are bounded: what would need one more is counted as dropped, and finds room once others have expired", () => {
    const clock = new VirtualClock();
    const registry = new SeriesRegistry(clock, 1);
    let dropped = 0;
    const set = (value: string) =>
      new MetricSet({ clock, registry, expiry: 1000, onDropped: () => dropped++ }, (metric) => ({
        ...{ metric, resource: RESOURCE, values: [value] },
      }));
    const [first, second] = [set("a"), set("b")];
    first.add(SERVER_METRICS.requests, 1);
    second.add(SERVER_METRICS.requests, 1);
    second.add(SERVER_METRICS.requests, 1);
    expect(dropped).toBe(2);
    expect(registry.current().map(({ identity, total }) => [identity.values, total])).toEqual([[["a"], 1]]);
    clock.advance(1000);
    expect(registry.current()).toEqual([]);
    second.add(SERVER_METRICS.requests, 1);
    expect(registry.current().map(({ identity, total }) => [identity.values, total])).toEqual([[["b"], 1]]);
    expect(dropped).toBe(2);
  });
});
