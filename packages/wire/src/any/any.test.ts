import { create } from "@bufbuild/protobuf";
import { AnySchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { RouterSchema } from "#generated/envoy/extensions/filters/http/router/v3/router_pb.js";
import { PluginConfigSchema } from "#generated/istio/stats/plugin_config_pb.js";
import { TypedStructSchema as UdpaTypedStructSchema } from "#generated/udpa/type/v1/typed_struct_pb.js";
import { TypedStructSchema as XdsTypedStructSchema } from "#generated/xds/type/v3/typed_struct_pb.js";
import { formatFault } from "../fault.ts";
import { FieldPath } from "../field-path.ts";
import { packAny } from "./pack-any.ts";
import { unpackTypedConfig, unpackTypedStruct } from "./typed-struct.ts";
import { unpackAny, unpackAnyAs } from "./unpack-any.ts";

const at = FieldPath.root.field("httpFilters").index(1).field("typedConfig");
const statsUrl = "type.googleapis.com/stats.PluginConfig";
const stats = { disable_host_header_fallback: true, tcpReportingDuration: "5s", metrics: [{ dimensions: { a: "b" } }] };

describe("packAny and unpackAny", () => {
  it("round-trip a message with its type", () => {
    const any = packAny(RouterSchema, create(RouterSchema, { suppressEnvoyHeaders: true }));
    expect(any.typeUrl).toBe("type.googleapis.com/envoy.extensions.filters.http.router.v3.Router");
    const unpacked = unpackAny(any);
    expect(unpacked.schema?.typeName).toBe("envoy.extensions.filters.http.router.v3.Router");
    expect(unpacked.message).toMatchObject({ suppressEnvoyHeaders: true });
    expect(unpackAnyAs(any, RouterSchema).message?.suppressEnvoyHeaders).toBe(true);
  });

  it("know the well-known types", () => {
    const any = packAny(StringValueSchema, create(StringValueSchema, { value: "x" }));
    expect(unpackAny(any).message).toMatchObject({ value: "x" });
  });

  it("name an unknown type URL and the nearest known type", () => {
    const any = create(AnySchema, { typeUrl: "type.googleapis.com/envoy.extensions.filters.http.router.v3.Ruoter" });
    expect(unpackAny(any, at).faults?.map(formatFault)).toEqual([
      `httpFilters[1].typedConfig: the type ${any.typeUrl} is unknown; did you mean envoy.extensions.filters.http.router.v3.Router?`,
    ]);
    expect(unpackAny(create(AnySchema)).faults?.[0]?.code).toBe("WIRE_UNKNOWN_TYPE");
  });

  it("do not take an enum or a service for a message type", () => {
    for (const name of [
      "envoy.config.core.v3.TrafficDirection",
      "envoy.service.discovery.v3.AggregatedDiscoveryService",
    ]) {
      expect(unpackAny(create(AnySchema, { typeUrl: `x/${name}` })).faults?.[0]?.code).toBe("WIRE_UNKNOWN_TYPE");
    }
  });

  it("refuse another type than the wanted one", () => {
    const any = packAny(StringValueSchema, create(StringValueSchema));
    expect(unpackAnyAs(any, RouterSchema, at).faults?.map(formatFault)).toEqual([
      "httpFilters[1].typedConfig: expected type.googleapis.com/envoy.extensions.filters.http.router.v3.Router, got type.googleapis.com/google.protobuf.StringValue",
    ]);
  });
});

describe.each([
  ["udpa.type.v1", UdpaTypedStructSchema],
  ["xds.type.v3", XdsTypedStructSchema],
] as const)("a TypedStruct of %s", (_, schema) => {
  const pack = (typeUrl: string, value: object) =>
    packAny(schema, create(schema, { typeUrl, value: value as never }) as never);

  it("comes out as the type it names", () => {
    const decoded = unpackTypedStruct(pack(statsUrl, stats), PluginConfigSchema);
    expect(decoded.message).toMatchObject({ disableHostHeaderFallback: true, metrics: [{ dimensions: { a: "b" } }] });
    expect(unpackTypedConfig(pack(statsUrl, stats)).schema?.typeName).toBe("stats.PluginConfig");
  });

  it("is read strictly, with the path through its value", () => {
    const any = pack(statsUrl, { metrics: [{ dimension: {} }] });
    const expected = [
      'httpFilters[1].typedConfig.value.metrics[0].dimension: stats.MetricConfig has no field "dimension"; did you mean dimensions?',
    ];
    expect(unpackTypedStruct(any, PluginConfigSchema, at).faults?.map(formatFault)).toEqual(expected);
    expect(unpackTypedConfig(any, at).faults?.map(formatFault)).toEqual(expected);
  });

  it("is refused if it names another type, and passed through if it names an unknown one", () => {
    const other = pack("type.googleapis.com/my.own.Filter", {});
    expect(unpackTypedStruct(other, PluginConfigSchema, at).faults?.[0]).toMatchObject({
      code: "WIRE_TYPE_MISMATCH",
      path: "httpFilters[1].typedConfig.typeUrl",
    });
    expect(unpackTypedConfig(other).schema?.typeName).toBe(schema.typeName);
  });
});

describe("unpackTypedStruct", () => {
  it("also takes the plain message", () => {
    const any = packAny(PluginConfigSchema, create(PluginConfigSchema, { debug: true }));
    expect(unpackTypedStruct(any, PluginConfigSchema).message?.debug).toBe(true);
  });

  it("takes a TypedStruct without a value as an empty message", () => {
    const any = packAny(XdsTypedStructSchema, create(XdsTypedStructSchema, { typeUrl: statsUrl }));
    expect(unpackTypedStruct(any, PluginConfigSchema).message?.debug).toBe(false);
  });
});
