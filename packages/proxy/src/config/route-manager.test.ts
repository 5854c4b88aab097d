import { create } from "@bufbuild/protobuf";
import { VirtualClock } from "@mixerless/clock";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { describe, expect, it } from "vitest";
import { RouteManager } from "./route-manager.ts";

function routes(...clusters: string[]) {
  return create(RouteConfigurationSchema, {
    name: "80",
    virtualHosts: [
      {
        name: "all",
        domains: ["*"],
        routes: clusters.map((value) => ({
          match: { pathSpecifier: { case: "prefix" as const, value: `/${value}` } },
          action: { case: "route" as const, value: { clusterSpecifier: { case: "cluster" as const, value } } },
        })),
      },
    ],
  });
}

function setUp(...warming: string[]) {
  const clock = new VirtualClock();
  const cold = new Set(warming);
  const manager = new RouteManager(clock, (name) => cold.has(name), 4000);
  return { clock, cold, manager };
}

describe("RouteManager", () => {
  it("takes the first table at once, whatever it names", () => {
    const { manager } = setUp("new");
    manager.set(routes("new"));
    expect(manager.get("80")).not.toBeNull();
  });

  it("keeps the table before until the clusters that came with the new one are warm", () => {
    const { manager, cold, clock } = setUp("new", "newer");
    manager.set(routes("old"));
    const before = manager.get("80");
    manager.set(routes("old", "new", "newer"));
    expect(manager.get("80")).toBe(before);
    cold.delete("new");
    manager.clustersChanged();
    expect(manager.get("80")).toBe(before);
    cold.delete("newer");
    manager.clustersChanged();
    expect(manager.get("80")).not.toBe(before);
    expect(clock.pending).toBe(0);
  });

  it("waits no longer than its patience", () => {
    const { manager, clock } = setUp("new");
    manager.set(routes("old"));
    const before = manager.get("80");
    manager.set(routes("new"));
    clock.advance(3999);
    expect(manager.get("80")).toBe(before);
    clock.advance(1);
    expect(manager.get("80")).not.toBe(before);
  });

  it("forgets a waiting table for a later one that need not wait, or when its name goes", () => {
    const { manager, clock, cold } = setUp("new");
    manager.set(routes("old"));
    manager.set(routes("new"));
    manager.set(routes("other"));
    const latest = manager.get("80");
    cold.clear();
    manager.clustersChanged();
    expect(manager.get("80")).toBe(latest);
    cold.add("new");
    manager.set(routes("new"));
    manager.remove("80");
    cold.clear();
    manager.clustersChanged();
    expect(manager.get("80")).toBeNull();
    expect(clock.pending).toBe(0);
  });
});
