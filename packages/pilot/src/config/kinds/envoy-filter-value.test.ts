// Values of patches, and what can never have an effect [control-plane §1.6, §1.9, §8.8].
import { describe, expect, test } from "vitest";
import { readConfig } from "../read-config.ts";
import { manifest, read, verdicts } from "../testing/verdicts.ts";

const P = "spec.configPatches[0]";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

function patch(applyTo: string, operation: string, value?: unknown, match?: unknown): string {
  const of = value === undefined ? { operation } : { operation, value };
  return JSON.stringify({ configPatches: [{ applyTo, ...(match === undefined ? {} : { match }), patch: of }] });
}

describe("the value of a patch", () => {
  test.each<[string, unknown]>([
    [
      "CLUSTER",
      { connect_timeout: "5s", lbPolicy: "RANDOM", dns_lookup_family: 1, per_connection_buffer_limit_bytes: 5 },
    ],
    ["HTTP_FILTER", { name: "x", typed_config: { "@type": ROUTER, suppress_envoy_headers: true } }],
    [
      "HTTP_FILTER",
      {
        name: "x",
        typed_config: {
          "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
          type_url: "x/only.the.Proxy",
          value: { a: 1 },
        },
      },
    ],
    ["EXTENSION_CONFIG", { name: "x", typed_config: { "@type": ROUTER } }],
  ])("of %s is read as proto JSON: %j", (applyTo, value) => {
    const { spec } = read("EnvoyFilter", patch(applyTo, "ADD", value));
    expect(spec.configPatches[0]?.message).toBeDefined();
  });

  test.each<[string, unknown, string]>([
    ["CLUSTER", { connect_timeout: "soon" }, `error bad-patch-value ${P}.patch.value.connect_timeout`],
    ["CLUSTER", { lb_policy: "FASTEST" }, `error bad-patch-value ${P}.patch.value.lb_policy`],
    ["CLUSTER", { name: 5 }, `error bad-patch-value ${P}.patch.value.name`],
    ["CLUSTER", { conect_timeout: "1s" }, `warning unknown-field ${P}.patch.value.conect_timeout`],
    ["HTTP_FILTER", { name: "x", config: {} }, `warning unknown-field ${P}.patch.value.config`],
    [
      "HTTP_FILTER",
      { name: "x", typed_config: { "@type": `${ROUTER}r` } },
      `error bad-patch-value ${P}.patch.value.typed_config`,
    ],
  ])("of %s, %j: %s", (applyTo, value, verdict) => {
    expect(verdicts("EnvoyFilter", patch(applyTo, "ADD", value)).map((text) => text.replace('["@type"]', ""))).toEqual([
      verdict,
    ]);
  });

  test("of an older API is told what to use", () => {
    const value = { name: "x", typed_config: { "@type": "type.googleapis.com/envoy.config.filter.http.lua.v2.Lua" } };
    const [fault] = readConfig({
      file: "x.yaml",
      text: manifest("EnvoyFilter", patch("HTTP_FILTER", "ADD", value)),
    }).faults;
    expect(fault).toMatchObject({
      object: "EnvoyFilter default/x",
      cure: "Referenced type unknown (hint: try using the v3 XDS API).",
    });
  });

  test("is not looked at for waypoints", () => {
    expect(
      verdicts("EnvoyFilter", patch("CLUSTER", "ADD", { name: 5 }, { context: "WAYPOINT", waypoint: {} })),
    ).toEqual([]);
  });
});

describe("a patch without effect", () => {
  const inManager = (subFilter?: string) => ({
    listener: {
      filterChain: {
        filter: {
          name: "envoy.filters.network.http_connection_manager",
          ...(subFilter === undefined ? {} : { subFilter: { name: subFilter } }),
        },
      },
    },
  });

  test.each<[string, string, unknown, unknown, string[]]>([
    ["LISTENER", "REPLACE", {}, undefined, ["operation"]],
    ["ROUTE_CONFIGURATION", "ADD", {}, undefined, ["operation"]],
    ["HTTP_ROUTE", "REPLACE", {}, undefined, ["operation"]],
    ["HTTP_ROUTE", "ADD", {}, undefined, []],
    ["VIRTUAL_HOST", "REPLACE", {}, undefined, []],
    ["EXTENSION_CONFIG", "MERGE", {}, undefined, ["operation"]],
    ["HTTP_FILTER", "REMOVE", undefined, inManager(), ["operation"]],
    ["HTTP_FILTER", "REMOVE", undefined, inManager("x"), []],
    ["NETWORK_FILTER", "REPLACE", {}, { listener: {} }, ["operation"]],
    ["LISTENER_FILTER", "MERGE", {}, { listener: {} }, ["operation"]],
    ["LISTENER_FILTER", "MERGE", {}, { listener: { listenerFilter: "x" } }, []],
  ])("%s %s %j with match %j", (applyTo, operation, value, match, places) => {
    expect(verdicts("EnvoyFilter", patch(applyTo, operation, value, match))).toEqual(
      places.map((place) => `warning patch-without-effect ${P}.patch.${place}`),
    );
  });

  test("of the bootstrap, and by a name that Envoy gave up, draws a warning", () => {
    expect(verdicts("EnvoyFilter", patch("BOOTSTRAP", "MERGE", {}))).toEqual([
      `warning patch-without-effect ${P}.applyTo`,
    ]);
    const value = { name: "x", typed_config: { "@type": ROUTER } };
    expect(verdicts("EnvoyFilter", patch("HTTP_FILTER", "INSERT_BEFORE", value, inManager("envoy.router")))).toEqual([
      `warning deprecated-filter-name ${P}.match.listener.filterChain.filter.subFilter.name`,
    ]);
  });
});
