import { describe, expect, test } from "vitest";
import { gateway, MESH, sidecar } from "../envoy-filters/testing/mesh-with-filters.ts";
import type { TelemetryMode } from "../generators/generator-input.ts";
import { type Manifest, object, pushOf } from "../model/testing/push-of.ts";
import { envoyFilterReport } from "./envoy-filter-report.ts";

const MANAGER = "envoy.filters.network.http_connection_manager";
const MERGE: Manifest = { operation: "MERGE", value: {} };

function report(configPatches: readonly Manifest[], telemetry: TelemetryMode = "none") {
  const push = pushOf([...MESH, object("EnvoyFilter", "x", { configPatches })]);
  return envoyFilterReport({ push, telemetry, mutualTls: false }, [sidecar(), gateway()]);
}

function httpFilter(subFilter: string, patch: Manifest, more: Manifest = {}): Manifest {
  const filter = { name: MANAGER, subFilter: { name: subFilter } };
  return { applyTo: "HTTP_FILTER", match: { listener: { filterChain: { filter } }, ...more }, patch };
}

function stats(applyTo: string, match: Manifest): Manifest {
  const config = {
    "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
    type_url: "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    value: { config: { vm_config: { code: { local: { inline_string: "envoy.wasm.stats" } } } } },
  };
  return {
    applyTo,
    match,
    patch: { operation: "INSERT_BEFORE", value: { name: "istio.stats", typed_config: config } },
  };
}

describe("a patch that matches nothing", () => {
  test.each<[string, Manifest, string]>([
    [
      "by the name of a filter",
      httpFilter(
        "envoy.filters.http.routr",
        { operation: "INSERT_BEFORE", value: { name: "y" } },
        { context: "SIDECAR_INBOUND" },
      ),
      "listener 10.0.0.1_9080 has no HTTP filter envoy.filters.http.routr; it has envoy.filters.http.fault, envoy.filters.http.cors, envoy.filters.http.router",
    ],
    [
      "by the port of a cluster",
      {
        applyTo: "CLUSTER",
        match: { cluster: { service: "b.default.svc.cluster.local", portNumber: 9081 } },
        patch: MERGE,
      },
      "cluster outbound|9080||b.default.svc.cluster.local is of port 9080, not 9081",
    ],
    [
      "by the port of a listener",
      { applyTo: "LISTENER", match: { context: "SIDECAR_INBOUND", listener: { portNumber: 9081 } }, patch: MERGE },
      "listener 10.0.0.1_9080 has port 9080, not 9081",
    ],
    [
      "by the name of a route",
      {
        applyTo: "HTTP_ROUTE",
        match: { context: "GATEWAY", routeConfiguration: { vhost: { route: { name: "to-c" } } } },
        patch: MERGE,
      },
      "virtual host *:80 of routes http.80 has no route to-c; it has to-b",
    ],
  ])("%s is told with the nearest miss", (_, patch, nearest) => {
    const { faults, outcomes } = report([patch]);
    expect(outcomes[0]).toMatchObject({ changed: [], nearest });
    expect(faults).toMatchObject([
      {
        code: "patch-matched-nothing",
        severity: "warning",
        object: "EnvoyFilter default/x",
        path: "spec.configPatches[0]",
      },
    ]);
    expect(faults[0]?.message).toContain(nearest);
  });

  test("because it is for proxies that are not there is no fault", () => {
    const other = { applyTo: "CLUSTER", match: { proxy: { proxyVersion: "^1\\.9.*" } }, patch: MERGE };
    const { faults, outcomes } = report([other]);
    expect(faults).toEqual([]);
    expect(outcomes[0]).toMatchObject({ proxies: 0, nearest: expect.stringContaining("its version is 1.30.3") });
  });
});

test("a patch that changes something says what", () => {
  const { faults, outcomes } = report([
    {
      applyTo: "CLUSTER",
      match: { context: "SIDECAR_INBOUND" },
      patch: { operation: "MERGE", value: { connect_timeout: "3s" } },
    },
  ]);
  expect(faults).toEqual([]);
  expect(outcomes).toMatchObject([
    { proxies: 1, changed: ["cluster inbound|9080||", "cluster inbound|9000||"], nearest: "" },
  ]);
});

test("a patch that cannot be applied loses only itself, and is told", () => {
  const cors = { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors" };
  const broken = httpFilter("envoy.filters.http.fault", { operation: "MERGE", value: { typed_config: cors } });
  const good = httpFilter("envoy.filters.http.cors", { operation: "REMOVE" });
  const { faults, outcomes } = report([broken, good]);
  expect(faults.map(({ code, path }) => `${code} ${path}`)).toEqual(["patch-not-applied spec.configPatches[0]"]);
  expect(faults[0]?.message).toContain("its typed_config is a envoy.extensions.filters.http.fault.v3.HTTPFault");
  expect(outcomes[1]?.changed).toContain("HTTP filter envoy.filters.http.cors of listener 10.0.0.1_9080");
});

describe("a second filter of Istio's metrics", () => {
  const http = stats("HTTP_FILTER", {
    listener: { filterChain: { filter: { name: MANAGER, subFilter: { name: "envoy.filters.http.router" } } } },
  });
  const tcp = stats("NETWORK_FILTER", {
    listener: { filterChain: { filter: { name: "envoy.filters.network.tcp_proxy" } } },
  });

  test.each<[TelemetryMode, string[]]>([
    ["native", ["counts-double spec.configPatches[0]", "counts-double spec.configPatches[1]"]],
    ["envoyfilter", []],
    ["none", []],
  ])("with telemetry %s: %j", (telemetry, faults) => {
    expect(report([http, tcp], telemetry).faults.map(({ code, path }) => `${code} ${path}`)).toEqual(faults);
  });
});
