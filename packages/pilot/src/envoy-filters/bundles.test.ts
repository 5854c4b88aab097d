// The EnvoyFilters that older releases of Istio installed for their telemetry [control-plane §2.1, §2.2].
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toJson } from "@mixerless/wire";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { TypeUrl } from "@mixerless/xds";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { readConfig } from "../config/read-config.ts";
import { type Manifest, pushOf } from "../model/testing/push-of.ts";
import {
  clusterFiltersOf,
  filtersOf,
  gateway,
  inputOf,
  MESH,
  resourcesOf,
  sidecar,
} from "./testing/mesh-with-filters.ts";

const DATA = process.env.ISTIO_DATA ?? "";
if (DATA === "") console.log("ISTIO_DATA is not set: Istio's own EnvoyFilters are not tried");

const HTTP = ["http envoy.filters.http.fault", "http envoy.filters.http.cors"];
const ROUTER = "http envoy.filters.http.router";
const TCP = "envoy.filters.network.tcp_proxy";

describe.skipIf(DATA === "").each(["1.6.14", "1.9.9"])("the bundle of %s", (version) => {
  const text = () => readFileSync(join(DATA, `telemetry-v2-envoyfilters-${version}.yaml`), "utf8");
  const push = () => {
    const bundle = parseAllDocuments(text()).flatMap((document) => (document.toJS() ?? []) as Manifest[]);
    return pushOf([...MESH, ...bundle]);
  };
  const facts = { istioVersion: version };

  test("is taken as it is", () => {
    const { objects, faults } = readConfig({ file: "bundle.yaml", text: text() });
    expect(faults.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(objects.length).toBeGreaterThanOrEqual(8);
  });

  test("puts its filters where Istio put them, in every chain of a sidecar", () => {
    expect(filtersOf(inputOf(push(), sidecar(facts)))).toEqual({
      "10.0.0.1_9080": ["istio.metadata_exchange", "http istio.metadata_exchange", ...HTTP, "http istio.stats", ROUTER],
      "10.0.0.1_9000": ["istio.metadata_exchange", "istio.stats", TCP],
      "127.0.0.1_9080": ["http istio.metadata_exchange", ...HTTP, "http istio.stats", ROUTER],
      "127.0.0.1_9000": ["istio.stats", TCP],
    });
  });

  test("and of a gateway", () => {
    expect(filtersOf(inputOf(push(), gateway(facts)))).toEqual({
      "0.0.0.0_80": ["http istio.metadata_exchange", ...HTTP, "http istio.stats", ROUTER],
      "0.0.0.0_9000": ["istio.stats", TCP],
    });
  });

  test("and into the outbound clusters alone", () => {
    const exchange = ["istio.metadata_exchange"];
    expect(clusterFiltersOf(inputOf(push(), sidecar(facts)))).toEqual({
      "outbound|9080||b.default.svc.cluster.local": exchange,
      "outbound|9000||b.default.svc.cluster.local": exchange,
      BlackHoleCluster: exchange,
      PassthroughCluster: exchange,
      "inbound|9080||": [],
      "inbound|9000||": [],
    });
  });

  test("says what runs in them", () => {
    const listeners = resourcesOf(inputOf(push(), sidecar(facts)), TypeUrl.listener);
    const json = listeners.map(({ message }) =>
      JSON.stringify(toJson(ListenerSchema, message as never, { declaredNames: true })),
    );
    const inbound = json.find((entry) => entry.includes('"name":"10.0.0.1_9080"')) ?? "";
    for (const part of ["envoy.wasm.metadata_exchange", "envoy.wasm.stats", "envoy.wasm.runtime.null", "stats_inbound"])
      expect(inbound).toContain(part);
    expect(json.find((entry) => entry.includes('"name":"127.0.0.1_9000"'))).toContain('"vm_id":"tcp_stats_outbound"');
  });

  test.each(["1.30.3", "1.3.0", ""])("says nothing to a proxy of the version %j", (other) => {
    const without = filtersOf(inputOf(pushOf([...MESH]), sidecar({ istioVersion: other })));
    expect(filtersOf(inputOf(push(), sidecar({ istioVersion: other })))).toEqual(without);
  });
});
