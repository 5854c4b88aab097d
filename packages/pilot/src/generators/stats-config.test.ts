import { describe, expect, it } from "vitest";
import { type Manifest, object, pod, proxy, pushOf } from "../model/testing/push-of.ts";
import { statsConfig } from "./stats-config.ts";
import type { ListenerClass } from "./telemetry-of.ts";

const DEFAULTS = { defaultProviders: { metrics: ["prometheus"] } };
const NONE = { defaultProviders: { metrics: [] } };
const prometheus = [{ name: "prometheus" }];

/** Telemetry objects by `<namespace>/<name>`, oldest first, around a workload of the namespace `default`. */
function configOf(
  specs: Readonly<Record<string, Manifest>>,
  mesh: Manifest = DEFAULTS,
  listenerClass: ListenerClass = "outbound",
  transport: "http" | "network" = "http",
) {
  const push = pushOf([
    object("MeshConfig", "istio-system/mesh", mesh),
    pod("a-v1", "10.0.0.1"),
    ...Object.entries(specs).map(([name, spec]) => object("Telemetry", name, spec)),
  ]);
  return statsConfig({ proxy: proxy("a-v1"), push, telemetry: "native" }, listenerClass, transport);
}

/** One `metrics` entry of overrides, of the default providers. */
const metrics = (...overrides: Manifest[]) => ({ metrics: [{ overrides }] });
const upsert = (value: string) => ({ value: `'${value}'` });
const REMOVE = { operation: "REMOVE" };
const OFF = metrics({ match: { metric: "ALL_METRICS" }, disabled: true });
const ALL_TEN = [
  "request_messages_total",
  "response_messages_total",
  "requests_total",
  "request_duration_milliseconds",
  "request_bytes",
  "response_bytes",
  "tcp_connections_closed_total",
  "tcp_connections_opened_total",
  "tcp_received_bytes_total",
  "tcp_sent_bytes_total",
].map((name) => ({ name }));

describe("what upstream's tests pin down [telemetry §10.5, control-plane §2.7]", () => {
  const removeAndAdd = metrics({
    match: { metric: "REQUEST_COUNT" },
    tagOverrides: { remove: REMOVE, add: upsert("bar") },
  });
  const all = (value: string) => ({ tagOverrides: { add: upsert(value) } });
  const count = (value: string) => ({ match: { metric: "REQUEST_COUNT" }, ...all(value) });
  const interval = (reportingInterval: string) => ({ metrics: [{ providers: prometheus, reportingInterval }] });
  const added = (value: string) => ({ dimensions: { add: `'${value}'` } });

  it.each<[string, Record<string, Manifest>, Manifest, unknown]>([
    ["nothing, no defaults: no filter", {}, NONE, undefined],
    ["disabled for ALL_METRICS in the root: no filter", { "istio-system/r": OFF }, DEFAULTS, undefined],
    ["disabled without match: no filter", { "istio-system/r": metrics({ disabled: true }) }, DEFAULTS, undefined],
    [
      "root disabled, namespace names prometheus only: still no filter",
      { "istio-system/r": OFF, "default/n": { metrics: [{ providers: prometheus }] } },
      DEFAULTS,
      undefined,
    ],
    [
      "root disabled, namespace override on ALL_METRICS without disabled: all ten listed",
      { "istio-system/r": OFF, "default/n": metrics({ match: { metric: "ALL_METRICS" } }) },
      DEFAULTS,
      { metrics: ALL_TEN },
    ],
    [
      "root disabled, namespace override on REQUEST_COUNT: that override only",
      { "istio-system/r": OFF, "default/n": metrics(count("bar")) },
      DEFAULTS,
      { metrics: [{ name: "requests_total", ...added("bar") }] },
    ],
    ["provider only", { "default/n": { metrics: [{ providers: prometheus }] } }, NONE, {}],
    ["default provider only", {}, DEFAULTS, {}],
    [
      "REQUEST_COUNT remove and add",
      { "default/n": removeAndAdd },
      DEFAULTS,
      { metrics: [{ name: "requests_total", ...added("bar"), tags_to_remove: ["remove"] }] },
    ],
    [
      "all metrics, then REQUEST_COUNT: only requests_total has the newer value",
      { "default/n": metrics(all("old"), count("new")) },
      DEFAULTS,
      { metrics: ALL_TEN.map((m) => ({ ...m, ...added(m.name === "requests_total" ? "new" : "old") })) },
    ],
    [
      "the reverse order: the value of all metrics wins everywhere",
      { "default/n": metrics(count("new"), all("old")) },
      DEFAULTS,
      { metrics: ALL_TEN.map((m) => ({ ...m, ...added("old") })) },
    ],
    [
      "reportingInterval 15s in the root, 10s in the namespace",
      { "istio-system/r": interval("15s"), "default/n": interval("10s") },
      NONE,
      { tcp_reporting_duration: "10s" },
    ],
    [
      "an override without provider under a root that sets the provider",
      { "istio-system/r": { metrics: [{ providers: prometheus }] }, "default/n": metrics(count("bar")) },
      NONE,
      { metrics: [{ name: "requests_total", ...added("bar") }] },
    ],
    [
      "an override without provider and without any default: nothing to apply it to",
      { "default/n": metrics(count("bar")) },
      NONE,
      undefined,
    ],
  ])("%s", (_, specs, mesh, expected) => {
    expect(configOf(specs, mesh)).toEqual(expected);
    expect(configOf(specs, mesh, "outbound", "network")).toEqual(expected);
  });

  it.skip("a waypoint, and services as targets: there are no waypoints in this mesh", () => {});
});

describe("whose word counts", () => {
  const tag = (value: string) => metrics({ match: { metric: "REQUEST_COUNT" }, tagOverrides: { t: upsert(value) } });
  const chosen = (labels: Manifest, value: string) => ({ selector: { matchLabels: labels }, ...tag(value) });
  const root = { "istio-system/r": tag("root") };
  const both = { ...root, "default/n": tag("namespace") };

  it.each<[string, Record<string, Manifest>, string | undefined]>([
    ["the root namespace's", root, "'root'"],
    ["the namespace's over the root's", both, "'namespace'"],
    ["that for the workload over both", { ...both, "default/w": chosen({ app: "a" }, "workload") }, "'workload'"],
    ["wherever it stands", { "default/w": chosen({ app: "a" }, "workload"), ...both }, "'workload'"],
    ["not that for another workload", { ...both, "default/w": chosen({ app: "b" }, "workload") }, "'namespace'"],
    [
      "the later of two for the workload",
      { "default/1": chosen({ app: "a" }, "1"), "default/2": chosen({}, "2") },
      "'1'",
    ],
    [
      "all those for the workload, by age",
      { "default/1": chosen({ app: "a" }, "1"), "default/2": chosen({ version: "v1" }, "2") },
      "'2'",
    ],
    ["the oldest only of two for the namespace", { "default/1": tag("1"), "default/2": tag("2") }, "'1'"],
    ["the oldest only of two in the root", { "istio-system/1": tag("1"), "istio-system/2": tag("2") }, "'1'"],
    ["not that of another namespace", { "other/n": tag("other"), "other/w": chosen({ app: "a" }, "w") }, undefined],
    ["not one in the root for a workload", { "istio-system/w": chosen({ app: "a" }, "w") }, undefined],
    [
      "not one with a target: it is for gateways of the Gateway API",
      {
        "default/t": {
          targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "a" }],
          ...tag("target"),
        },
      },
      undefined,
    ],
  ])("%s", (_, specs, expected) => {
    const config = configOf(specs) as { metrics?: { dimensions: { t: string } }[] };
    expect(config.metrics?.[0]?.dimensions.t).toBe(expected);
  });

  it("a Gateway API gateway is chosen by a target, and else by its labels", () => {
    const labels = { "gateway.networking.k8s.io/gateway-name": "g", app: "a" };
    const ref = (name: string) => [{ group: "gateway.networking.k8s.io", kind: "Gateway", name }];
    const valueFor = (spec: Manifest) => {
      const push = pushOf([object("MeshConfig", "istio-system/mesh", DEFAULTS), object("Telemetry", "t", spec)]);
      const input = { proxy: proxy("g-1", { type: "router", labels }), push, telemetry: "native" as const };
      return JSON.stringify(statsConfig(input, "gateway", "http"));
    };
    expect(valueFor({ targetRefs: ref("g"), ...tag("target") })).toContain("'target'");
    expect(valueFor({ targetRefs: ref("h"), ...tag("target") })).not.toContain("'target'");
    expect(valueFor(chosen({ app: "a" }, "labels"))).toContain("'labels'");
  });
});

describe("what an override says", () => {
  const INBOUND = { disable_host_header_fallback: true };

  it("is for its side only; gateways are clients", () => {
    const spec = metrics({ match: { metric: "REQUEST_COUNT", mode: "CLIENT" }, disabled: true });
    const dropped = { metrics: [{ name: "requests_total", drop: true }] };
    expect(configOf({ "default/n": spec })).toEqual(dropped);
    expect(configOf({ "default/n": spec }, DEFAULTS, "gateway")).toEqual({ ...INBOUND, ...dropped });
    expect(configOf({ "default/n": spec }, DEFAULTS, "inbound")).toEqual(INBOUND);
    const off = metrics({ match: { mode: "SERVER" }, disabled: true });
    expect(configOf({ "default/n": off }, DEFAULTS, "inbound")).toBeUndefined();
    expect(configOf({ "default/n": off })).toEqual({});
  });

  it("can be taken back metric by metric, and keeps what was said before", () => {
    const one = { match: { metric: "REQUEST_COUNT" } };
    const specs = {
      "istio-system/r": metrics({ ...one, disabled: true, tagOverrides: { a: upsert("1"), b: REMOVE } }),
      "default/n": metrics({ disabled: true }),
      "default/w": {
        selector: { matchLabels: { app: "a" } },
        ...metrics({ ...one, disabled: false, tagOverrides: { b: upsert("2") } }),
      },
    };
    expect(configOf(specs)).toEqual({
      metrics: [{ name: "requests_total", dimensions: { a: "'1'", b: "'2'" } }],
    });
  });

  it("names a custom metric as it is", () => {
    const spec = metrics({ match: { customMetric: "my_metric" }, tagOverrides: { a: upsert("1") } });
    expect(configOf({ "default/n": spec })).toEqual({ metrics: [{ name: "my_metric", dimensions: { a: "'1'" } }] });
  });

  it.each([
    ["REQUEST_COUNT", "requests_total"],
    ["REQUEST_DURATION", "request_duration_milliseconds"],
    ["REQUEST_SIZE", "request_bytes"],
    ["RESPONSE_SIZE", "response_bytes"],
    ["TCP_OPENED_CONNECTIONS", "tcp_connections_opened_total"],
    ["TCP_CLOSED_CONNECTIONS", "tcp_connections_closed_total"],
    ["TCP_SENT_BYTES", "tcp_sent_bytes_total"],
    ["TCP_RECEIVED_BYTES", "tcp_received_bytes_total"],
    ["GRPC_REQUEST_MESSAGES", "request_messages_total"],
    ["GRPC_RESPONSE_MESSAGES", "response_messages_total"],
  ])("%s is %s", (metric, name) => {
    expect(configOf({ "default/n": metrics({ match: { metric }, disabled: true }) })).toEqual({
      metrics: [{ name, drop: true }],
    });
  });

  it("comes after the labels that the mesh gives its servers", () => {
    const mesh = { ...DEFAULTS, defaultConfig: { proxyMetadata: { MIXERLESS_DRY_RUN_LABELS: "true" } } };
    const spec = metrics({ match: { metric: "REQUEST_COUNT" }, tagOverrides: { dry_run_deny: upsert("x") } });
    const config = configOf({ "default/n": spec }, mesh, "inbound") as { metrics: { name?: string }[] };
    expect(config.metrics.map(({ name }) => name)).toEqual([undefined, "requests_total"]);
  });
});

describe("providers", () => {
  const drop = { match: { metric: "REQUEST_COUNT" }, disabled: true };
  const of = (name: string, ...overrides: Manifest[]) => ({ providers: [{ name }], overrides });
  const MESH = { ...DEFAULTS, extensionProviders: [{ name: "Second", prometheus: {} }] };

  it("are found whatever their case", () => {
    expect(configOf({ "default/n": { metrics: [of("PROMETHEUS", drop)] } })).toEqual({
      metrics: [{ name: "requests_total", drop: true }],
    });
  });

  it("that are not there, or of another kind, measure nothing", () => {
    for (const name of ["nowhere", "stackdriver", "envoy"]) {
      expect(configOf({ "default/n": { metrics: [of(name)] } })).toBeUndefined();
      expect(configOf({ "default/n": { metrics: [{ providers: [{ name }, ...prometheus] }] } })).toEqual({});
    }
  });

  it("each have their own overrides, and the last list of them is in scope", () => {
    const entries = [of("prometheus", drop), of("second")];
    expect(configOf({ "default/n": { metrics: entries } }, MESH)).toEqual({});
    expect(configOf({ "default/n": { metrics: [...entries, of("prometheus")] } }, MESH)).toEqual({
      metrics: [{ name: "requests_total", drop: true }],
    });
  });

  it("of one kind count once: the first that is on", () => {
    const both = { providers: [{ name: "second" }, ...prometheus] };
    expect(configOf({ "default/n": { metrics: [of("prometheus", drop), both] } }, MESH)).toEqual({});
    const off = of("second", { disabled: true });
    expect(configOf({ "default/n": { metrics: [of("prometheus", drop), off, both] } }, MESH)).toEqual({
      metrics: [{ name: "requests_total", drop: true }],
    });
  });
});
