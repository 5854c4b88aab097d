import {
  create,
  type DescMessage,
  fromJson,
  type JsonValue,
  toJson as libraryToJson,
  type MessageShape,
} from "@bufbuild/protobuf";
import { AnySchema, DurationSchema, FieldMaskSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MetadataSchema } from "#generated/envoy/config/core/v3/base_pb.js";
import { ListenerSchema } from "#generated/envoy/config/listener/v3/listener_pb.js";
import { MetricFamilySchema } from "#generated/io/prometheus/client/metrics_pb.js";
import { NumberDataPointSchema } from "#generated/opentelemetry/proto/metrics/v1/metrics_pb.js";
import { packAny } from "../any/pack-any.ts";
import { encodeBytes } from "../binary/encode-bytes.ts";
import { typeRegistry } from "../type-registry.ts";
import { decodeJson } from "./decode-json.ts";
import { toJson } from "./to-json.ts";

describe("toJson", () => {
  it("writes canonical JSON, or the declared names", () => {
    const json = {
      name: "in",
      perConnectionBufferLimitBytes: 0,
      listenerFiltersTimeout: "1.500s",
      trafficDirection: "INBOUND",
      filterChains: [
        {
          filters: [{ typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo" } }],
        },
      ],
    };
    const { message = create(ListenerSchema) } = decodeJson(ListenerSchema, json);
    expect(toJson(ListenerSchema, message)).toEqual(json);
    expect(toJson(ListenerSchema, message, { declaredNames: true })).toMatchObject({
      per_connection_buffer_limit_bytes: 0,
      filter_chains: [{ filters: [{ typed_config: {} }] }],
    });
  });

  it("writes an Any that it cannot open as base64, and an unnamed enum value as its number", () => {
    const any = create(AnySchema, { typeUrl: "x/no.Such", value: new Uint8Array([1, 2]) });
    expect(toJson(AnySchema, any)).toEqual({ "@type": "x/no.Such", value: "AQI=" });
    const broken = { ...packAny(ListenerSchema, create(ListenerSchema)), value: new Uint8Array([255]) };
    expect(toJson(AnySchema, broken)).toEqual({
      "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
      value: "/w==",
    });
    expect(toJson(ListenerSchema, create(ListenerSchema, { trafficDirection: 9 as never }))).toEqual({
      trafficDirection: 9,
    });
  });

  it("sorts the keys of maps", () => {
    const message = create(MetadataSchema, { filterMetadata: { b: { d: 1, c: { f: 1, e: 1 } }, a: {} } });
    expect(JSON.stringify(toJson(MetadataSchema, message))).toBe(
      '{"filterMetadata":{"a":{},"b":{"c":{"e":1,"f":1},"d":1}}}',
    );
  });

  it.each([
    [DurationSchema, { seconds: 0n, nanos: -500 }, "-0.000000500s"],
    [DurationSchema, { seconds: -1n, nanos: -250_000_000 }, "-1.250s"],
    [DurationSchema, { seconds: 3n, nanos: 1_000 }, "3.000001s"],
    [TimestampSchema, { seconds: -1n, nanos: 1 }, "1969-12-31T23:59:59.000000001Z"],
    [TimestampSchema, { seconds: 10n ** 15n, nanos: 0 }, "1000000000000000s"],
    [FieldMaskSchema, { paths: ["foo_bar.baz", "a"] }, "fooBar.baz,a"],
    [
      NumberDataPointSchema,
      { timeUnixNano: 5n, value: { case: "asDouble", value: Number.NaN } },
      { timeUnixNano: "5", asDouble: "NaN" },
    ],
    [MetricFamilySchema, { name: "", type: 0 }, { name: "", type: "COUNTER" }],
  ])("writes %s", (schema, init, expected) => {
    expect(toJson(schema as DescMessage, create(schema as DescMessage, init as never))).toEqual(expected);
  });

  it("stops opening Anys nested without end", () => {
    let any = create(AnySchema);
    for (let depth = 0; depth < 5000; depth++) any = packAny(AnySchema, any);
    expect(JSON.stringify(toJson(AnySchema, any)).length).toBeGreaterThan(5000);
  });
});

// Random messages of a type, by reflection over its fields: the JSON form first, since that is plain data.
function jsonOf(schema: DescMessage, depth: number): fc.Arbitrary<JsonValue> {
  switch (schema.typeName) {
    case "google.protobuf.Any":
      return fc.record({ "@type": fc.constant("type.googleapis.com/google.protobuf.StringValue"), value: text });
    case "google.protobuf.Struct":
      return fc.dictionary(text, fc.jsonValue({ maxDepth: 2, stringUnit: "grapheme" }), {
        maxKeys: 3,
      }) as fc.Arbitrary<JsonValue>;
    case "google.protobuf.Value":
      return fc.jsonValue({ maxDepth: 2, stringUnit: "grapheme" }) as fc.Arbitrary<JsonValue>;
    case "google.protobuf.Duration":
      return fc
        .integer({ min: -1e9, max: 1e9 })
        .map((nanos) => `${nanos < 0 ? "-" : ""}0.${String(Math.abs(nanos) % 1e9).padStart(9, "0")}s`);
    case "google.protobuf.Timestamp":
      return fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString());
  }
  if (schema.typeName.startsWith("google.protobuf.") && schema.name.endsWith("Value")) {
    return scalarJson(schema.fields[0]?.scalar ?? 9);
  }
  return messageJson(schema, depth);
}

const text = fc.string({ unit: "grapheme", maxLength: 6 });

function messageJson(schema: DescMessage, depth: number): fc.Arbitrary<JsonValue> {
  const members = fc.subarray(schema.members, { maxLength: Math.min(6, schema.members.length) });
  return fc.tuple(members, fc.nat()).chain(([list, pick]) => {
    const fields = list
      .map((member) => (member.kind === "field" ? member : member.fields[pick % member.fields.length]))
      .filter((field) => field !== undefined)
      .filter((field) => depth > 0 || field.message === undefined);
    return fc.record(Object.fromEntries(fields.map((field) => [field.jsonName, fieldJson(field, depth)])));
  }) as fc.Arbitrary<JsonValue>;
}

function fieldJson(field: DescMessage["fields"][number], depth: number): fc.Arbitrary<JsonValue> {
  const one =
    field.message !== undefined
      ? jsonOf(field.message, depth - 1)
      : field.enum !== undefined
        ? fc.constantFrom(...field.enum.values.map((value) => value.name))
        : scalarJson(field.scalar);
  if (field.fieldKind === "list") return fc.array(one, { maxLength: 3 }) as fc.Arbitrary<JsonValue>;
  if (field.fieldKind === "map")
    return fc.dictionary(field.mapKey === 9 ? text : fc.nat().map(String), one, {
      maxKeys: 3,
    }) as fc.Arbitrary<JsonValue>;
  return one;
}

// Numbers are those of ScalarType: 1 double, 2 float, 8 bool, 9 string, 12 bytes, the rest integers.
function scalarJson(type: number): fc.Arbitrary<JsonValue> {
  if (type === 9) return text;
  if (type === 8) return fc.boolean();
  if (type === 12) return fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString("base64"));
  if (type <= 2) return fc.float({ noNaN: true, noDefaultInfinity: true });
  return fc.nat();
}

describe("message → JSON → message", () => {
  const types = [
    "envoy.config.listener.v3.Listener",
    "envoy.config.route.v3.RouteConfiguration",
    "envoy.config.cluster.v3.Cluster",
    "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    "envoy.config.rbac.v3.RBAC",
    "google.api.expr.v1alpha1.CheckedExpr",
    "opentelemetry.proto.metrics.v1.MetricsData",
    "io.prometheus.client.MetricFamily",
    "prometheus.WriteRequest",
  ];

  it.each(types)("keeps %s as it was, and agrees with the library", (typeName) => {
    const schema = typeRegistry.getMessage(typeName);
    if (schema === undefined) throw new Error(typeName);
    fc.assert(
      fc.property(jsonOf(schema, 3), (json) => {
        const message = fromJson(schema, json, { registry: typeRegistry }) as MessageShape<DescMessage>;
        const written = toJson(schema, message);
        expect(written).toEqual(libraryToJson(schema, message, { registry: typeRegistry }));
        const decoded = decodeJson(schema, written);
        expect(decoded.faults).toBeUndefined();
        if (decoded.faults !== undefined) return;
        expect(decoded.message).toEqual(message);
        expect(encodeBytes(schema, decoded.message)).toEqual(encodeBytes(schema, message));
      }),
      { numRuns: 60 },
    );
  });
});
