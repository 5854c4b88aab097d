import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MetadataSchema } from "#generated/envoy/config/core/v3/base_pb.js";
import {
  LbEndpointSchema,
  LocalityLbEndpointsSchema,
} from "#generated/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { ClusterLoadAssignmentSchema } from "#generated/envoy/config/endpoint/v3/endpoint_pb.js";
import { NameTableSchema } from "#generated/istio/nds/name_table_pb.js";
import { setOwn } from "../local-value.ts";
import { contentHash } from "./content-hash.ts";
import { decodeBytes } from "./decode-bytes.ts";
import { encodeBytes } from "./encode-bytes.ts";

function reversed<T>(entries: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).reverse());
}

describe("encodeBytes", () => {
  it("does not depend on the order in which a map was filled", () => {
    const table = { b: { ips: ["1.1.1.1"] }, a: {}, 10: {}, 9: {} };
    const one = encodeBytes(NameTableSchema, create(NameTableSchema, { table }));
    const other = encodeBytes(NameTableSchema, create(NameTableSchema, { table: reversed(table) }));
    expect(one).toEqual(other);
    expect(fromBinary(NameTableSchema, one).table.b?.ips).toEqual(["1.1.1.1"]);
  });

  it("sorts maps in lists of messages, and the objects of a Struct at every depth", () => {
    const assignment = (metadata: Record<string, { a: unknown; b: unknown }>) =>
      create(ClusterLoadAssignmentSchema, {
        clusterName: "c",
        endpoints: [
          create(LocalityLbEndpointsSchema, {
            lbEndpoints: [{}, create(LbEndpointSchema, { metadata: { filterMetadata: metadata as never } })],
          }),
        ],
      });
    const inOrder = { istio: { a: { x: 1, y: [{ p: 1, q: 2 }] }, b: 2 }, other: { a: 1, b: null } };
    const outOfOrder = { other: { b: null, a: 1 }, istio: { b: 2, a: { y: [{ q: 2, p: 1 }], x: 1 } } };
    expect(encodeBytes(ClusterLoadAssignmentSchema, assignment(outOfOrder))).toEqual(
      encodeBytes(ClusterLoadAssignmentSchema, assignment(inOrder)),
    );
  });

  it("sorts the fields of a Struct message too, as metadata exchange needs it", () => {
    const value = (text: string) => ({ kind: { case: "stringValue" as const, value: text } });
    const one = create(StructSchema, { fields: { NAME: value("a"), CLUSTER_ID: value("b") } });
    const other = create(StructSchema, { fields: { CLUSTER_ID: value("b"), NAME: value("a") } });
    expect(encodeBytes(StructSchema, one)).toEqual(encodeBytes(StructSchema, other));
    expect(Buffer.from(encodeBytes(StructSchema, one)).indexOf("CLUSTER_ID")).toBeLessThan(10);
  });

  it("leaves the message as it was", () => {
    const message = create(MetadataSchema, { filterMetadata: { b: { d: 1, c: 1 }, a: {} } });
    encodeBytes(MetadataSchema, message);
    expect(Object.keys(message.filterMetadata)).toEqual(["b", "a"]);
    expect(Object.keys(message.filterMetadata.b ?? {})).toEqual(["d", "c"]);
  });

  it("keeps a key named __proto__ and unknown fields", () => {
    const message = create(NameTableSchema, { table: { z: {} } });
    setOwn(message.table, "__proto__", message.table.z);
    message.$unknown = [{ no: 99, wireType: 0, data: new Uint8Array([1]) }];
    const again = fromBinary(NameTableSchema, encodeBytes(NameTableSchema, message));
    expect(Object.keys(again.table).sort()).toEqual(["__proto__", "z"]);
    expect(again.$unknown?.[0]?.no).toBe(99);
  });

  it("gives the same bytes for every order of insertion, and the content of the message", () => {
    const entries = fc.uniqueArray(fc.tuple(fc.string(), fc.jsonValue({ maxDepth: 3 })), { selector: ([key]) => key });
    fc.assert(
      fc.property(entries, fc.gen(), (pairs, gen) => {
        const order = gen(() => fc.shuffledSubarray(pairs, { minLength: pairs.length, maxLength: pairs.length }));
        const message = (list: typeof pairs) =>
          create(MetadataSchema, { filterMetadata: { a: Object.fromEntries(list) as never } });
        const bytes = encodeBytes(MetadataSchema, message(pairs));
        expect(encodeBytes(MetadataSchema, message(order))).toEqual(bytes);
        expect(bytes.length).toBe(toBinary(MetadataSchema, message(pairs)).length);
      }),
    );
  });
});

describe("contentHash", () => {
  it("is equal for equal content and differs for other content", () => {
    const hash = (names: string[]) =>
      contentHash(
        NameTableSchema,
        create(NameTableSchema, { table: Object.fromEntries(names.map((name) => [name, {}])) }),
      );
    expect(hash(["a", "b"])).toBe(hash(["b", "a"]));
    expect(hash(["a", "b"])).not.toBe(hash(["a", "c"]));
    expect(hash([])).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("decodeBytes", () => {
  it("returns the message, with the fields that it does not know", () => {
    const decoded = decodeBytes(NameTableSchema, new Uint8Array([0x98, 0x06, 1]));
    expect(decoded.message?.$unknown?.[0]).toMatchObject({ no: 99 });
  });

  it("returns a fault for bytes that are no such message", () => {
    const decoded = decodeBytes(ClusterLoadAssignmentSchema, new Uint8Array([0x0a, 200, 1, 2]));
    expect(decoded.faults?.[0]).toMatchObject({ code: "WIRE_MALFORMED_BYTES", path: "" });
    expect(decoded.faults?.[0]?.message).toContain("4 bytes are not a envoy.config.endpoint.v3.ClusterLoadAssignment");
  });

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = decodeBytes(ClusterLoadAssignmentSchema, bytes);
        expect(decoded.faults === undefined || decoded.faults.length === 1).toBe(true);
      }),
    );
  });
});
