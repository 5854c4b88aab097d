import { create, type JsonObject } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { WasmSchema as HttpWasmSchema } from "#generated/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { WasmSchema as NetworkWasmSchema } from "#generated/envoy/extensions/filters/network/wasm/v3/wasm_pb.js";
import { TypedStructSchema } from "#generated/udpa/type/v1/typed_struct_pb.js";
import { toJson } from "../json/to-json.ts";
import { unpackTypedConfig, unpackTypedStruct } from "./typed-struct.ts";

function struct(type: string, value: JsonObject) {
  const typeUrl = `type.googleapis.com/${type}`;
  return anyPack(TypedStructSchema, create(TypedStructSchema, { typeUrl, value }));
}

const OLD: JsonObject = {
  config: {
    root_id: "stats_inbound",
    configuration: '{"debug": "false"}',
    vm_config: { configuration: "vm", code: { local: { inline_string: "envoy.wasm.stats" } } },
  },
};
const text = (value: string) => ({ "@type": "type.googleapis.com/google.protobuf.StringValue", value });
const TODAY = {
  config: {
    rootId: "stats_inbound",
    configuration: text('{"debug": "false"}'),
    vmConfig: { configuration: text("vm"), code: { local: { inlineString: "envoy.wasm.stats" } } },
  },
};

describe("Wasm filters of Istio 1.5 and 1.6", () => {
  it.each([
    ["envoy.config.filter.http.wasm.v2.Wasm", HttpWasmSchema],
    ["envoy.extensions.filters.http.wasm.v3.Wasm", HttpWasmSchema],
    ["envoy.config.filter.network.wasm.v2.Wasm", NetworkWasmSchema],
  ])("by the name %s, with configurations as plain texts, are today's message", (type, schema) => {
    const asked = unpackTypedStruct(struct(type, OLD), schema);
    if (asked.faults !== undefined) throw new Error(JSON.stringify(asked.faults));
    expect(toJson(schema, asked.message)).toEqual(TODAY);
    const meant = unpackTypedConfig(struct(type, OLD));
    if (meant.faults !== undefined) throw new Error(JSON.stringify(meant.faults));
    expect(meant.schema).toBe(schema);
    expect(toJson(meant.schema, meant.message)).toEqual(TODAY);
  });

  it("leave what is wrong to be refused", () => {
    const wrong = (config: JsonObject) =>
      unpackTypedStruct(struct(HttpWasmSchema.typeName, { config }), HttpWasmSchema);
    expect(wrong({ configuration: 5 }).faults).toHaveLength(1);
    expect(wrong({ config: "x" }).faults).toHaveLength(1);
  });
});
