import { describe, expect, test } from "vitest";
import { object, pushOf, service } from "./testing/push-of.ts";

const HOST = "web.default.svc.cluster.local";
const POOL = (maxConnections: number) => ({ connectionPool: { tcp: { maxConnections } } });
const rule = (name: string, spec: object) => object("DestinationRule", name, { host: HOST, ...spec });

function pick(objects: Parameters<typeof pushOf>[0], namespace = "client", labels = {}, host = HOST) {
  const found = pushOf([service("web"), ...objects]).destinationRule(namespace, labels, host);
  return found?.configs.map(({ namespace, name }) => `${namespace}/${name}`);
}

describe("merging", () => {
  test("subsets unite, the first policy and the first of equal names stay", () => {
    const push = pushOf([
      service("web"),
      rule("a", { host: "web", trafficPolicy: POOL(1), subsets: [{ name: "v1", labels: { version: "first" } }] }),
      rule("b", { trafficPolicy: POOL(2), subsets: [{ name: "v1", labels: { version: "second" } }, { name: "v2" }] }),
    ]);
    const merged = push.destinationRule("default", {}, HOST);
    expect(merged?.configs.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(merged?.trafficPolicy?.connectionPool?.tcp?.maxConnections).toBe(1);
    expect(merged?.subsets.map(({ name, labels }) => [name, labels.version])).toEqual([
      ["v1", "first"],
      ["v2", undefined],
    ]);
  });

  test("a later policy fills in when the first has none", () => {
    const push = pushOf([service("web"), rule("a", {}), rule("b", { trafficPolicy: POOL(2) })]);
    expect(push.destinationRule("default", {}, HOST)?.trafficPolicy?.connectionPool?.tcp?.maxConnections).toBe(2);
  });

  test("rules with other readers stay apart; a wider one also merges into a narrower", () => {
    const wider = [rule("a", { exportTo: ["."] }), rule("b", { exportTo: ["*"] })];
    expect(pick(wider, "default")).toEqual(["default/a", "default/b"]);
    expect(pick(wider, "client")).toEqual(["default/b"]);
    const narrower = [rule("a", { exportTo: ["*"] }), rule("b", { exportTo: ["."] })];
    expect(pick(narrower, "default")).toEqual(["default/a"]);
    expect(pick(narrower, "client")).toEqual(["default/a"]);
  });
});

describe("selection", () => {
  test("the client's namespace, then the service's, then the root, without mixing", () => {
    const own = rule("client/own", {});
    const ofService = rule("default/service", {});
    const root = rule("istio-system/root", {});
    expect(pick([root, ofService, own])).toEqual(["client/own"]);
    expect(pick([root, ofService])).toEqual(["default/service"]);
    expect(pick([root])).toEqual(["istio-system/root"]);
  });

  test("what is not exported to the client is not found", () => {
    expect(pick([rule("default/private", { exportTo: ["."] })])).toBeUndefined();
    expect(pick([rule("default/some", { exportTo: ["client"] })])).toEqual(["default/some"]);
  });

  test("private rules of the root namespace are for its own proxies", () => {
    const root = rule("istio-system/root", { exportTo: ["."] });
    expect(pick([root])).toBeUndefined();
    expect(pick([root], "istio-system")).toEqual(["istio-system/root"]);
  });

  test("within a namespace the most specific host", () => {
    const rules = [
      rule("any", { host: "*" }),
      rule("local", { host: "*.default.svc.cluster.local" }),
      rule("exact", {}),
    ];
    expect(pick(rules, "default")).toEqual(["default/exact"]);
    expect(pick(rules.slice(0, 2), "default")).toEqual(["default/local"]);
    expect(pick(rules.slice(0, 1), "default")).toEqual(["default/any"]);
  });

  test("a rule that selects the workload goes before one for all, in its namespace only", () => {
    const rules = [rule("all", {}), rule("some", { workloadSelector: { matchLabels: { app: "x" } } })];
    expect(pick(rules, "default", { app: "x" })).toEqual(["default/some"]);
    expect(pick(rules, "default", { app: "y" })).toEqual(["default/all"]);
    expect(pick(rules, "client", { app: "x" })).toEqual(["default/all"]);
  });

  test("short hosts belong to the namespace of the rule", () => {
    expect(pick([rule("other/x", { host: "web" })], "other")).toBeUndefined();
    expect(pick([rule("default/x", { host: "web" })], "default")).toEqual(["default/x"]);
  });
});
