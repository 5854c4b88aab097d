import { toJson, unpackAny } from "@mixerless/wire";
import { describe, expect, it } from "vitest";
import { object, proxy, pushOf } from "../model/testing/push-of.ts";
import { hasOwnFilters, metadataExchangeFilter, type NamedFilter, statsFilters } from "./telemetry-filters.ts";

const spec = { defaultProviders: { metrics: ["prometheus"] } };
const push = pushOf([object("MeshConfig", "istio-system/mesh", spec)]);
const input = { proxy: proxy("a-v1"), push, telemetry: "wasm" as const };

function contentOf({ config }: NamedFilter): unknown {
  const unpacked = unpackAny(config);
  if (unpacked.faults !== undefined) throw new Error(JSON.stringify(unpacked.faults));
  return { type: unpacked.schema.typeName, ...(toJson(unpacked.schema, unpacked.message) as object) };
}

/** What a Wasm filter of ours has. */
function plugin(name: string, vmId: string, file: string, configuration: string): object {
  const code = { local: { filename: `/etc/istio/extensions/${file}` } };
  return {
    config: {
      name,
      vmConfig: { vmId, runtime: "envoy.wasm.runtime.v8", code },
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: configuration },
      failurePolicy: "FAIL_OPEN",
    },
  };
}

describe("Istio's telemetry as Wasm modules", () => {
  it("is there for the proxies that have it in process otherwise", () => {
    expect(hasOwnFilters(input)).toBe(true);
    expect(hasOwnFilters({ ...input, telemetry: "none" })).toBe(false);
  });

  it("names the modules of Istio's images and lets traffic go on where they fail", () => {
    expect(contentOf(metadataExchangeFilter(input, "inbound"))).toEqual({
      type: "envoy.extensions.filters.http.wasm.v3.Wasm",
      ...plugin("istio.metadata_exchange", "metadata_exchange", "metadata-exchange-filter.wasm", "{}"),
    });
    expect(statsFilters(input, "inbound", "http").map(contentOf)).toEqual([
      {
        type: "envoy.extensions.filters.http.wasm.v3.Wasm",
        ...plugin("istio.stats", "stats", "stats-filter.wasm", '{"disable_host_header_fallback":true}'),
      },
    ]);
  });
});
