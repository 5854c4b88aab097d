import { toJson, unpackAnyAs } from "@mixerless/wire";
import { HttpConnectionManagerSchema } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { describe, expect, it } from "vitest";
import { object, proxy, pushOf } from "../model/testing/push-of.ts";
import { httpConnectionManager } from "./listeners/http-connection-manager.ts";
import { tcpFilters } from "./listeners/tcp-proxy.ts";
import type { ListenerClass } from "./telemetry-filters.ts";

function inputWith(proxyMetadata: Record<string, string>) {
  const spec = { defaultProviders: { metrics: ["prometheus"] }, defaultConfig: { proxyMetadata } };
  const push = pushOf([object("MeshConfig", "istio-system/mesh", spec)]);
  return { proxy: proxy("a-v1"), push, telemetry: "native" as const };
}

function manager(proxyMetadata: Record<string, string>, listenerClass: ListenerClass = "inbound") {
  const options = { listenerClass, statPrefix: "x", routes: { rds: "x" } };
  const { configType } = httpConnectionManager(inputWith(proxyMetadata), options);
  if (configType.case !== "typedConfig") throw new Error("no config");
  const unpacked = unpackAnyAs(configType.value, HttpConnectionManagerSchema);
  if (unpacked.faults !== undefined) throw new Error(JSON.stringify(unpacked.faults));
  return unpacked.message;
}

describe("what a mesh switches on for its proxies", () => {
  it("explains refusals, to sidecars' callers only", () => {
    const on = { MIXERLESS_EXPLAIN_REFUSALS: "true" };
    const { localReplyConfig } = toJson(HttpConnectionManagerSchema, manager(on)) as { localReplyConfig: unknown };
    expect(localReplyConfig).toEqual({
      mappers: [
        {
          filter: {
            andFilter: {
              filters: [
                {
                  metadataFilter: {
                    matcher: {
                      filter: "envoy.filters.http.rbac",
                      path: [{ key: "enforced_engine_result" }],
                      value: { stringMatch: { exact: "denied" } },
                    },
                    matchIfKeyNotFound: false,
                  },
                },
                { headerFilter: { header: { name: "x-forwarded-client-cert", presentMatch: true } } },
              ],
            },
          },
          bodyFormatOverride: { textFormatSource: { inlineString: "RBAC: access denied, %RESPONSE_CODE_DETAILS%" } },
        },
      ],
    });
    expect(manager({}).localReplyConfig).toBeUndefined();
    expect(manager({ MIXERLESS_EXPLAIN_REFUSALS: "yes" }).localReplyConfig).toBeUndefined();
    expect(manager(on, "gateway").localReplyConfig).toBeUndefined();
    expect(manager(on, "outbound").localReplyConfig).toBeUndefined();
  });

  it("labels requests and connections with the results of policies on trial", () => {
    const on = { MIXERLESS_DRY_RUN_LABELS: "true" };
    const bytesOf = (filters: readonly { name: string; configType: { value?: unknown } }[]) => {
      const [filter] = filters.filter(({ name }) => name === "istio.stats");
      const config = filter?.configType.value as { value: Uint8Array } | undefined;
      return Buffer.from(config?.value ?? []).toString("latin1");
    };
    const http = bytesOf(manager(on).httpFilters);
    expect(http).toContain(
      "metadata.filter_metadata['envoy.filters.http.rbac'].istio_dry_run_deny_shadow_engine_result",
    );
    expect(http).toContain("dry_run_allow");
    expect(bytesOf(manager({}).httpFilters)).not.toContain("dry_run");
    expect(bytesOf(manager(on, "outbound").httpFilters)).not.toContain("dry_run");
    const tcp = bytesOf(
      tcpFilters(inputWith(on), "inbound", { statPrefix: "x", clusters: [{ name: "c", weight: 1 }] }),
    );
    expect(tcp).toContain("metadata.filter_metadata['envoy.filters.network.rbac'].istio_dry_run_allow_shadow");
  });
});
