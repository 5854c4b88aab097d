import { create } from "@bufbuild/protobuf";
import { AnySchema, anyUnpack, StringValueSchema, StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { ClusterSchema } from "#generated/envoy/config/cluster/v3/cluster_pb.js";
import { MetadataSchema, TrafficDirection } from "#generated/envoy/config/core/v3/base_pb.js";
import { ListenerSchema } from "#generated/envoy/config/listener/v3/listener_pb.js";
import { HttpConnectionManagerSchema } from "#generated/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { NameTableSchema } from "#generated/istio/nds/name_table_pb.js";
import { NumberDataPointSchema } from "#generated/opentelemetry/proto/metrics/v1/metrics_pb.js";
import { decodeBytes } from "../binary/decode-bytes.ts";
import { encodeBytes } from "../binary/encode-bytes.ts";
import { formatFault } from "../fault.ts";
import { FieldPath } from "../field-path.ts";
import { typeRegistry } from "../type-registry.ts";
import { decodeJson } from "./decode-json.ts";

const hcmUrl = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

function faultsOf(schema: Parameters<typeof decodeJson>[0], json: unknown): string[] {
  return (decodeJson(schema, json).faults ?? []).map((fault) => `${fault.code} ${formatFault(fault)}`);
}

describe("decodeJson", () => {
  it("takes field names in both spellings, enums by name and number, wrappers bare and nested Any", () => {
    const json = {
      name: "inbound",
      traffic_direction: "INBOUND",
      address: { socketAddress: { address: "127.0.0.1", portValue: 80 } },
      per_connection_buffer_limit_bytes: 1024,
      listenerFiltersTimeout: "1.250s",
      filter_chains: [
        {
          filters: [
            {
              name: "hcm",
              typed_config: { "@type": hcmUrl, stat_prefix: "in", codecType: 2, generateRequestId: false },
            },
          ],
        },
      ],
    };
    const { message } = decodeJson(ListenerSchema, json);
    expect(message?.trafficDirection).toBe(TrafficDirection.INBOUND);
    expect(message?.address?.address.case).toBe("socketAddress");
    expect(message?.perConnectionBufferLimitBytes).toBe(1024);
    expect(message?.listenerFiltersTimeout).toMatchObject({ seconds: 1n, nanos: 250_000_000 });
    const config = message?.filterChains[0]?.filters[0]?.configType;
    const any = config?.case === "typedConfig" ? config.value : create(AnySchema);
    expect(anyUnpack(any, typeRegistry)).toMatchObject({ statPrefix: "in", codecType: 2, generateRequestId: false });
  });

  it("names the whole path of a fault inside an Any", () => {
    const json = {
      filterChains: [
        { filters: [] },
        {
          filters: [
            { name: "a" },
            {
              name: "hcm",
              typed_config: {
                "@type": hcmUrl,
                routeConfig: { virtual_hosts: [{ name: "all", domain: ["*"], domains: "*" }] },
              },
            },
          ],
        },
      ],
    };
    expect(faultsOf(ListenerSchema, json)).toEqual([
      'WIRE_UNKNOWN_FIELD filterChains[1].filters[1].typedConfig.routeConfig.virtualHosts[0].domain: envoy.config.route.v3.VirtualHost has no field "domain"; did you mean domains?',
      'WIRE_WRONG_TYPE filterChains[1].filters[1].typedConfig.routeConfig.virtualHosts[0].domains: expected a list, got the string "*"',
    ]);
    expect(decodeJson(ListenerSchema, json).faults?.[1]?.keys).toEqual([
      "filterChains",
      1,
      "filters",
      1,
      "typed_config",
      "routeConfig",
      "virtual_hosts",
      0,
      "domains",
    ]);
  });

  it("begins the paths where the caller says", () => {
    const at = FieldPath.root.field("spec").field("configPatches").index(2);
    expect(decodeJson(ClusterSchema, { name: 1 }, { at }).faults?.[0]?.path).toBe("spec.configPatches[2].name");
  });

  it("collects several faults and stops at the limit", () => {
    const domains = Array.from({ length: 1000 }, (_, index) => index);
    const json = { virtualHosts: [{ domains }] };
    const { faults } = decodeJson(HttpConnectionManagerSchema, { routeConfig: json }, { limits: { faults: 5 } });
    expect(faults?.map((fault) => fault.path)).toEqual(
      [0, 1, 2, 3, 4].map((index) => `routeConfig.virtualHosts[0].domains[${index}]`),
    );
  });

  it("lists unknown fields as warnings if asked to, and still decodes", () => {
    const json = { name: "a", connectTimeuot: "1s", http_filters: [] };
    const decoded = decodeJson(ClusterSchema, json, { unknownFields: "warning" });
    expect(decoded.message?.name).toBe("a");
    expect(decoded.faults).toBeUndefined();
    expect(decoded.faults === undefined && decoded.warnings.map(formatFault)).toEqual([
      'connectTimeuot: envoy.config.cluster.v3.Cluster has no field "connectTimeuot"; did you mean connectTimeout?',
      'http_filters: envoy.config.cluster.v3.Cluster has no field "http_filters"',
    ]);
  });

  it("refuses one field in two spellings and two members of a oneof", () => {
    expect(faultsOf(ClusterSchema, { connectTimeout: "1s", connect_timeout: "2s" })[0]).toMatch(
      /^WIRE_SET_TWICE connectTimeout/,
    );
    expect(faultsOf(ClusterSchema, { type: "STATIC", clusterType: { name: "x" } })).toEqual([
      "WIRE_SET_TWICE clusterType: only one of type, clusterType can be set",
    ]);
  });

  it("treats null as absent, except where null is a value", () => {
    expect(
      decodeJson(ClusterSchema, { name: null, connectTimeout: null, type: null, clusterType: { name: "x" } }).message,
    ).toMatchObject({
      clusterDiscoveryType: { case: "clusterType" },
    });
    expect(faultsOf(ListenerSchema, { filterChains: [null] })[0]).toMatch(
      /filterChains\[0\]: expected an object .*, got null/,
    );
    expect(decodeJson(ValueSchema, null).message?.kind.case).toBe("nullValue");
    expect(decodeJson(MetadataSchema, { filterMetadata: { a: { b: null } } }).message?.filterMetadata).toEqual({
      a: { b: null },
    });
  });

  it.each([
    [
      { perConnectionBufferLimitBytes: -1 },
      /^WIRE_OUT_OF_RANGE perConnectionBufferLimitBytes: number -1 is not between 0 and 4294967295$/,
    ],
    [{ perConnectionBufferLimitBytes: 1.5 }, /^WIRE_WRONG_TYPE .*expected a whole number, got number 1.5$/],
    [{ perConnectionBufferLimitBytes: "" }, /^WIRE_WRONG_TYPE/],
    [{ perConnectionBufferLimitBytes: "0x10" }, /^WIRE_WRONG_TYPE/],
    [{ listenerFiltersTimeout: "5m" }, /^WIRE_BAD_FORMAT listenerFiltersTimeout: "5m" is not a duration in seconds/],
    [{ listenerFiltersTimeout: 5 }, /^WIRE_WRONG_TYPE listenerFiltersTimeout: expected a duration/],
    [{ listenerFiltersTimeout: "999999999999s" }, /^WIRE_OUT_OF_RANGE/],
    [{ trafficDirection: "INBUOND" }, /^WIRE_UNKNOWN_ENUM_VALUE trafficDirection: .*did you mean INBOUND\?$/],
    [{ trafficDirection: "xxxxxxxx" }, /it has UNSPECIFIED, INBOUND, OUTBOUND$/],
    [{ trafficDirection: true }, /^WIRE_WRONG_TYPE trafficDirection: expected a name or number of/],
    [{ name: "\ud800" }, /^WIRE_BAD_FORMAT name: the string holds half a surrogate pair$/],
    [{ freebind: "true" }, /^WIRE_WRONG_TYPE freebind: expected true or false, got the string "true"$/],
    [
      { metadata: { typedFilterMetadata: { a: { "@type": "x/envoy.No" } } } },
      /^WIRE_UNKNOWN_TYPE metadata\.typedFilterMetadata\["a"\]\.@type: the type x\/envoy\.No is unknown$/,
    ],
    [{ metadata: { typedFilterMetadata: { a: { name: "x" } } } }, /an Any needs "@type"/],
    [{ address: [] }, /^WIRE_WRONG_TYPE address: expected an object \(envoy.config.core.v3.Address\), got a list$/],
    [[], /^WIRE_WRONG_TYPE expected an object/],
    [undefined, /^WIRE_WRONG_TYPE expected an object/],
    [{ name: () => 1 }, /got a function$/],
  ])("explains %j", (json, message) => {
    expect(faultsOf(ListenerSchema, json)[0]).toMatch(message);
  });

  it("suggests the type for a misspelt type URL", () => {
    const json = { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Routre" };
    expect(faultsOf(AnySchema, json)).toEqual([
      `WIRE_UNKNOWN_TYPE @type: the type ${json["@type"]} is unknown; did you mean envoy.extensions.filters.http.router.v3.Router?`,
    ]);
  });

  it("reads numbers from strings and bytes from both base64 alphabets", () => {
    const decoded = decodeJson(NumberDataPointSchema, {
      timeUnixNano: "18446744073709551615",
      asInt: -5,
      flags: "3",
      exemplars: [{ asDouble: "-Infinity", spanId: "-_8", traceId: "+/8=" }],
    });
    expect(decoded.message).toMatchObject({
      timeUnixNano: 18446744073709551615n,
      value: { case: "asInt", value: -5n },
      flags: 3,
      exemplars: [{ value: { case: "asDouble", value: Number.NEGATIVE_INFINITY } }],
    });
    expect(decoded.message?.exemplars[0]?.spanId).toEqual(new Uint8Array([0xfb, 0xff]));
    expect(faultsOf(NumberDataPointSchema, { timeUnixNano: "18446744073709551616" })[0]).toMatch(/^WIRE_OUT_OF_RANGE/);
    expect(faultsOf(NumberDataPointSchema, { exemplars: [{ spanId: "a" }] })[0]).toMatch(/"a" is not base64$/);
  });

  it("keeps the prefix of a type URL", () => {
    const any = decodeJson(AnySchema, { "@type": "type.example/google.protobuf.StringValue", value: "x" }).message;
    expect(any?.typeUrl).toBe("type.example/google.protobuf.StringValue");
  });

  it("takes a type with a JSON form of its own under value in an Any", () => {
    const any = decodeJson(AnySchema, {
      "@type": "type.googleapis.com/google.protobuf.StringValue",
      value: "x",
    }).message;
    expect(anyUnpack(any ?? create(AnySchema), StringValueSchema)?.value).toBe("x");
    expect(faultsOf(AnySchema, { "@type": "type.googleapis.com/google.protobuf.Duration", value: 1 })[0]).toMatch(
      /^WIRE_WRONG_TYPE value:/,
    );
    expect(
      faultsOf(AnySchema, { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "x", more: 1 })[0],
    ).toMatch(/^WIRE_UNKNOWN_FIELD more/);
    expect(faultsOf(AnySchema, { "@type": "type.googleapis.com/google.protobuf.StringValue" })[0]).toMatch(
      /^WIRE_WRONG_TYPE value/,
    );
  });
});

describe("decodeJson, of hostile JSON", () => {
  it("keeps __proto__ as a key and nothing more", () => {
    const json = JSON.parse('{"table":{"__proto__":{"ips":["1.2.3.4"]}}}');
    const table = decodeJson(NameTableSchema, json).message?.table ?? {};
    expect(Object.keys(table)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(table)).toBe(Object.prototype);
    const struct = decodeJson(
      MetadataSchema,
      JSON.parse('{"filterMetadata":{"a":{"__proto__":{"polluted":1}}}}'),
    ).message;
    expect(Object.keys(struct?.filterMetadata.a ?? {})).toEqual(["__proto__"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(faultsOf(NameTableSchema, JSON.parse('{"__proto__":{}}'))[0]).toMatch(/^WIRE_UNKNOWN_FIELD/);
  });

  it("refuses what is nested too deeply, without running out of stack", () => {
    let json: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) json = depth % 2 === 0 ? [json] : { a: json };
    expect(faultsOf(ValueSchema, json)[0]).toMatch(/^WIRE_TOO_DEEP/);
    expect(faultsOf(StructSchema, { a: json })[0]).toMatch(/^WIRE_TOO_DEEP a/);
    let any: unknown = {};
    for (let depth = 0; depth < 1000; depth++) any = { "@type": "type.googleapis.com/google.protobuf.Any", value: any };
    expect(faultsOf(AnySchema, any)[0]).toMatch(/^WIRE_TOO_DEEP/);
  });

  it("accepts no more depth than a reader of the bytes does", () => {
    const struct = (depth: number): object => (depth === 0 ? { end: [1] } : { a: struct(depth - 1) });
    let accepted = 0;
    for (let depth = 30; depth < 60; depth++) {
      const decoded = decodeJson(MetadataSchema, { filterMetadata: { a: struct(depth) } });
      if (decoded.faults !== undefined) continue;
      accepted = depth;
      expect(decodeBytes(MetadataSchema, encodeBytes(MetadataSchema, decoded.message)).faults).toBeUndefined();
    }
    expect(accepted).toBe(47);
  });

  it("stops at the limit of values", () => {
    const wide = Array.from({ length: 5000 }, () => ({}));
    const { faults } = decodeJson(ListenerSchema, { filterChains: wide }, { limits: { values: 1000 } });
    expect(faults?.map((fault) => `${fault.code} ${fault.path}`)).toEqual(["WIRE_TOO_LARGE filterChains[999]"]);
    const struct = { a: Array.from({ length: 5000 }, () => 1) };
    expect(decodeJson(StructSchema, struct, { limits: { values: 1000 } }).faults?.[0]?.code).toBe("WIRE_TOO_LARGE");
  });

  it("shortens long names and values in its messages", () => {
    const long = "x".repeat(100_000);
    for (const json of [
      { [long]: 1 },
      { trafficDirection: long },
      { metadata: { typedFilterMetadata: { [long]: { "@type": long } } } },
    ]) {
      const [fault] = decodeJson(ListenerSchema, json).faults ?? [];
      expect(fault?.message.length).toBeLessThan(400);
      expect(fault?.path.length).toBeLessThan(200);
    }
  });
});
