import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { ListenerSchema } from "#generated/envoy/config/listener/v3/listener_pb.js";
import { TypedStructSchema } from "#generated/xds/type/v3/typed_struct_pb.js";
import { packAny } from "./any/pack-any.ts";
import { formatFault } from "./fault.ts";
import { type FieldVisit, walkFields } from "./field-walker.ts";
import { decodeJson } from "./json/decode-json.ts";

const hcm = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

function listener(json: object) {
  const decoded = decodeJson(ListenerSchema, json);
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  return decoded.message;
}

function pathsOf(json: object, descend: (visit: FieldVisit) => boolean = () => true): string[] {
  const paths: string[] = [];
  walkFields(ListenerSchema, listener(json), {
    field(visit) {
      paths.push(String(visit.path));
      return descend(visit);
    },
  });
  return paths;
}

describe("walkFields", () => {
  it("visits every set field once, through lists, maps, oneofs and Any", () => {
    const json = {
      name: "in",
      perConnectionBufferLimitBytes: 0,
      listenerFiltersTimeout: "0s",
      metadata: {
        filterMetadata: { istio: { a: 1 } },
        typedFilterMetadata: { "a.b": { "@type": hcm, statPrefix: "m" } },
      },
      filterChains: [
        {},
        {
          filters: [
            { typedConfig: { "@type": hcm, statPrefix: "x", routeConfig: { virtualHosts: [{ domains: ["*"] }] } } },
          ],
        },
      ],
    };
    expect(pathsOf(json)).toEqual([
      "name",
      "filterChains",
      "filterChains[1].filters",
      "filterChains[1].filters[0].typedConfig",
      "filterChains[1].filters[0].typedConfig.statPrefix",
      "filterChains[1].filters[0].typedConfig.routeConfig",
      "filterChains[1].filters[0].typedConfig.routeConfig.virtualHosts",
      "filterChains[1].filters[0].typedConfig.routeConfig.virtualHosts[0].domains",
      "perConnectionBufferLimitBytes",
      "metadata",
      "metadata.filterMetadata",
      "metadata.typedFilterMetadata",
      'metadata.typedFilterMetadata["a.b"].statPrefix',
      "listenerFiltersTimeout",
    ]);
  });

  it("skips what lies in a field if told to", () => {
    const json = { name: "in", metadata: { filterMetadata: { a: {} } }, address: { pipe: { path: "/a" } } };
    expect(pathsOf(json, (visit) => visit.field.name !== "metadata")).toEqual([
      "name",
      "address",
      "address.pipe",
      "address.pipe.path",
      "metadata",
    ]);
  });

  it("hands out the declaring type and the value in the generated form", () => {
    const seen: unknown[] = [];
    walkFields(
      ListenerSchema,
      listener({ perConnectionBufferLimitBytes: 7, metadata: { filterMetadata: { a: { b: 1 } } } }),
      {
        field({ schema, field, value }) {
          seen.push([schema.name, field.number, typeof value === "number" ? value : undefined]);
          return true;
        },
      },
    );
    expect(seen).toEqual([
      ["Listener", 5, 7],
      ["Listener", 6, undefined],
      ["Metadata", 1, undefined],
    ]);
  });

  it("walks a TypedStruct as the type it names", () => {
    const paths: string[] = [];
    const faults: string[] = [];
    const struct = (value: object) =>
      packAny(TypedStructSchema, create(TypedStructSchema, { typeUrl: "x/stats.PluginConfig", value: value as never }));
    const visitor = {
      field({ path, schema }: FieldVisit) {
        paths.push(`${schema.typeName} ${path}`);
        return true;
      },
      fault: (fault: Parameters<typeof formatFault>[0]) => faults.push(formatFault(fault)),
    };
    walkFields(AnySchema, struct({ debug: true }), visitor);
    walkFields(AnySchema, struct({ debugg: true }), visitor);
    expect(paths).toEqual(["stats.PluginConfig debug"]);
    expect(faults).toEqual(['value.debugg: stats.PluginConfig has no field "debugg"; did you mean debug?']);
  });

  it("reports unknown fields and an Any that it cannot open", () => {
    const message = listener({ name: "in", filterChains: [{ filters: [{ typedConfig: { "@type": hcm } }] }] });
    const config = message.filterChains[0]?.filters[0]?.configType;
    if (config?.case === "typedConfig") config.value.typeUrl = "x/no.Such";
    message.$unknown = [{ no: 4242, wireType: 0, data: new Uint8Array([1]) }];
    const reports: string[] = [];
    walkFields(ListenerSchema, message, {
      field: () => true,
      unknownField: (schema, number, path) => reports.push(`${schema.name} ${number} "${path}"`),
      fault: (fault) => reports.push(formatFault(fault)),
    });
    expect(reports).toEqual([
      "filterChains[0].filters[0].typedConfig: the type x/no.Such is unknown",
      'Listener 4242 ""',
    ]);
  });

  it("stops at Anys nested without end", () => {
    let any = create(AnySchema);
    for (let depth = 0; depth < 200; depth++) any = packAny(AnySchema, any);
    const codes: string[] = [];
    walkFields(AnySchema, any, { field: () => true, fault: (fault) => codes.push(fault.code) });
    expect(codes).toEqual(["WIRE_TOO_DEEP"]);
  });
});
