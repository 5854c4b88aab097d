import { toJson, unpackAnyAs } from "@mixerless/wire";
import { HttpConnectionManagerSchema } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { describe, expect, it } from "vitest";
import { object, proxy, pushOf } from "../model/testing/push-of.ts";
import { httpConnectionManager } from "./listeners/http-connection-manager.ts";
import { tcpFilters } from "./listeners/tcp-proxy.ts";
import type { ListenerClass } from "./telemetry-of.ts";

function inputWith(proxyMetadata: Record<string, string>, more: object = {}) {
  const spec = { defaultProviders: { metrics: ["prometheus"] }, defaultConfig: { proxyMetadata }, ...more };
  const push = pushOf([object("MeshConfig", "istio-system/mesh", spec)]);
  return { proxy: proxy("a-v1"), push, telemetry: "native" as const };
}

function manager(proxyMetadata: Record<string, string>, listenerClass: ListenerClass = "inbound", more: object = {}) {
  const options = { listenerClass, port: 80, statPrefix: "x", routes: { rds: "x" } };
  const { configType } = httpConnectionManager(inputWith(proxyMetadata, more), options);
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
                  statusCodeFilter: {
                    comparison: { value: { defaultValue: 403, runtimeKey: "mixerless.explained_status" } },
                  },
                },
                { headerFilter: { header: { name: "x-forwarded-client-cert", presentMatch: true } } },
              ],
            },
          },
          bodyFormatOverride: { textFormatSource: { inlineString: "%LOCAL_REPLY_BODY%, %RESPONSE_CODE_DETAILS%" } },
        },
      ],
    });
    expect(manager({}).localReplyConfig).toBeUndefined();
    expect(manager({ MIXERLESS_EXPLAIN_REFUSALS: "yes" }).localReplyConfig).toBeUndefined();
    expect(manager(on, "gateway").localReplyConfig).toBeUndefined();
    expect(manager(on, "outbound").localReplyConfig).toBeUndefined();
  });

  it.each([
    [undefined, { normalizePath: true }],
    ["BASE", { normalizePath: true }],
    ["NONE", { normalizePath: false }],
    ["MERGE_SLASHES", { normalizePath: true, mergeSlashes: true }],
    [
      "DECODE_AND_MERGE_SLASHES",
      { normalizePath: true, mergeSlashes: true, pathWithEscapedSlashesAction: "UNESCAPE_AND_FORWARD" },
    ],
  ])("normalizes paths as pathNormalization says: %s", (normalization, expected) => {
    const more = normalization === undefined ? {} : { pathNormalization: { normalization } };
    for (const listenerClass of ["inbound", "gateway", "outbound"] as const) {
      const made = toJson(HttpConnectionManagerSchema, manager({}, listenerClass, more)) as Record<string, unknown>;
      const { normalizePath, mergeSlashes, pathWithEscapedSlashesAction } = made;
      expect(JSON.parse(JSON.stringify({ normalizePath, mergeSlashes, pathWithEscapedSlashesAction }))).toEqual(
        expected,
      );
    }
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
      tcpFilters(
        inputWith(on),
        { listenerClass: "inbound", port: 9000 },
        { statPrefix: "x", clusters: [{ name: "c", weight: 1 }] },
      ),
    );
    expect(tcp).toContain("metadata.filter_metadata['envoy.filters.network.rbac'].istio_dry_run_allow_shadow");
  });
});
