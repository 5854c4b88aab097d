// Which EnvoyFilters apply to a proxy, and in which order [control-plane §1.2 to §1.4, §1.11].
import { describe, expect, test } from "vitest";
import { type Manifest, object, pod, pushOf } from "../model/testing/push-of.ts";
import { applicablePatches, envoyFiltersOf } from "./applicable-patches.ts";
import { inputOf, sidecar } from "./testing/mesh-with-filters.ts";

const REMOVE = { applyTo: "CLUSTER", patch: { operation: "REMOVE" } };

function envoyFilter(name: string, spec: Manifest = {}, seconds?: number): Manifest {
  const time = seconds === undefined ? {} : { creationTimestamp: new Date(seconds * 1000).toISOString() };
  return object("EnvoyFilter", name, { configPatches: [REMOVE], ...spec }, { metadata: time });
}

function order(objects: readonly Manifest[], proxy = sidecar()): string[] {
  return envoyFiltersOf(pushOf(objects), proxy).map(({ name }) => name);
}

describe("the order", () => {
  test("is by priority, then by age, then by name", () => {
    const objects = [
      envoyFilter("b-low", { priority: 20 }, 1),
      envoyFilter("a-low", { priority: 20 }, 5),
      envoyFilter("b-medium", { priority: 10 }, 5),
      envoyFilter("a-medium", { priority: 10 }, 5),
      envoyFilter("default-priority", {}, 5),
      envoyFilter("high-priority", { priority: -1 }, 5),
      envoyFilter("super-high-priority", { priority: -10 }, 5),
    ];
    expect(order(objects)).toEqual([
      "super-high-priority",
      "high-priority",
      "default-priority",
      "a-medium",
      "b-medium",
      "b-low",
      "a-low",
    ]);
  });

  test("puts the root namespace first, but priority before that", () => {
    const own = envoyFilter("own", {}, 1);
    expect(order([own, envoyFilter("istio-system/root", {}, 5)])).toEqual(["root", "own"]);
    expect(
      order([envoyFilter("own", { priority: -5 }, 5), envoyFilter("istio-system/root", { priority: -1 }, 1)]),
    ).toEqual(["own", "root"]);
  });

  test("is that of the files where no time is known", () => {
    expect(order([envoyFilter("b"), envoyFilter("a")])).toEqual(["b", "a"]);
  });
});

describe("a proxy", () => {
  test("gets those of its own and of the root namespace, as far as they select it", () => {
    const objects = [
      pod("a-v1", "10.0.0.1"),
      envoyFilter("all"),
      envoyFilter("empty", { workloadSelector: { labels: {} } }),
      envoyFilter("mine", { workloadSelector: { labels: { app: "a", version: "v1" } } }),
      envoyFilter("others", { workloadSelector: { labels: { app: "a", version: "v2" } } }),
      envoyFilter("elsewhere/foreign"),
      envoyFilter("istio-system/root"),
      envoyFilter("of-gateway", { targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "g" }] }),
    ];
    expect(order(objects)).toEqual(["root", "all", "empty", "mine"]);
  });

  test("of a Gateway API gateway gets those that name it, and those without a reference", () => {
    const reference = (name: string) => ({
      targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name }],
    });
    const labels = { "gateway.networking.k8s.io/gateway-name": "g" };
    const objects = [
      envoyFilter("g", reference("g")),
      envoyFilter("h", reference("h")),
      envoyFilter("istio-system/i", reference("g")),
      envoyFilter("all"),
    ];
    expect(order(objects, sidecar({ type: "router", labels }))).toEqual(["g", "all"]);
    expect(order(objects, sidecar({ type: "waypoint", labels }))).toEqual(["g"]);
  });
});

describe("a patch", () => {
  const applies = (match: Manifest, facts: Parameters<typeof sidecar>[0]) => {
    const push = pushOf([envoyFilter("x", { configPatches: [{ ...REMOVE, match }] })]);
    return applicablePatches(inputOf(push, sidecar(facts))) !== null;
  };

  test.each<[string, string, boolean]>([
    ["^1\\.19.*", "1.19", true],
    ["^1\\.19.*", "1.19.0", true],
    ["^1\\.19.*", "1.19-dev.foo", true],
    ["^1\\.19.*", "1.5", false],
    ["^1\\.19.*", "11.19", false],
    ["^1\\.19.*", "foo1.19", false],
    ["1\\.19.*", "11.19", true],
    ["1\\.19.*", "foo1.19", true],
    ["foobar", "foobar", true],
    ["foobar", "1.19", false],
    ["^1\\.19.*", "", false],
  ])("for the version %s, proxy of %j: %s", (proxyVersion, istioVersion, expected) => {
    expect(applies({ proxy: { proxyVersion } }, { istioVersion })).toBe(expected);
  });

  test.each<[Manifest, Manifest, boolean]>([
    [{ FOO: "a" }, { FOO: "a", BAR: "b" }, true],
    [{ FOO: "a", BAR: "c" }, { FOO: "a", BAR: "b" }, false],
    [{ FOO: "1" }, { FOO: 1 }, false],
    [{ FOO: "a" }, {}, false],
  ])("for the metadata %j, proxy with %j: %s", (wanted, metadata, expected) => {
    expect(applies({ proxy: { metadata: wanted } }, { metadata })).toBe(expected);
  });
});
