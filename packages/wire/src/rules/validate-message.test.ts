import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { ClusterSchema } from "#generated/envoy/config/cluster/v3/cluster_pb.js";
import { HeaderValueSchema, MetadataSchema } from "#generated/envoy/config/core/v3/base_pb.js";
import { LocalityLbEndpointsSchema } from "#generated/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { ListenerSchema } from "#generated/envoy/config/listener/v3/listener_pb.js";
import { RouteSchema } from "#generated/envoy/config/route/v3/route_components_pb.js";
import { HttpConnectionManagerSchema } from "#generated/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "#generated/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { PrivateKeyProviderSchema } from "#generated/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { packAny } from "../any/pack-any.ts";
import { formatFault } from "../fault.ts";
import { decodeJson } from "../json/decode-json.ts";
import { typeRegistry } from "../type-registry.ts";
import { messagePlan } from "./message-plan.ts";
import { validateMessage } from "./validate-message.ts";

function breaches(schema: Parameters<typeof decodeJson>[0], json: unknown): string[] {
  const decoded = decodeJson(schema, json);
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  return validateMessage(schema, decoded.message).map(formatFault);
}

describe("validateMessage", () => {
  it("has an interpreter for every rule in every definition", () => {
    let rules = 0;
    for (const type of typeRegistry) {
      if (type.kind !== "message") continue;
      for (const field of messagePlan(type).fields) {
        rules += field.checks.length + field.elementChecks.length + field.keyChecks.length + Number(field.required);
      }
    }
    expect(rules).toBeGreaterThan(800);
  });

  it("passes what is valid", () => {
    const cluster = { name: "a", connectTimeout: "1s", lbPolicy: "RANDOM", maglevLbConfig: { tableSize: 65537 } };
    expect(breaches(ClusterSchema, cluster)).toEqual([]);
  });

  it.each([
    ["min_len", ClusterSchema, { name: "" }, "name: must not be empty"],
    ["gt of a duration", ClusterSchema, { name: "a", connectTimeout: "0s" }, "connectTimeout: must be greater than 0s"],
    [
      "defined_only",
      ClusterSchema,
      { name: "a", lbPolicy: 77 },
      "lbPolicy: must be a value of envoy.config.cluster.v3.Cluster.LbPolicy",
    ],
    [
      "lte of a wrapper",
      ClusterSchema,
      { name: "a", maglevLbConfig: { tableSize: 5000012 } },
      "maglevLbConfig.tableSize: must be at most 5000011",
    ],
    ["lte of a plain number", LocalityLbEndpointsSchema, { priority: 129 }, "priority: must be at most 128"],
    [
      "gte of a wrapper",
      LocalityLbEndpointsSchema,
      { loadBalancingWeight: 0 },
      "loadBalancingWeight: must be at least 1",
    ],
    [
      "required oneof",
      RouteSchema,
      { match: { prefix: "/" } },
      "one of route, redirect, directResponse, filterAction, nonForwardingAction must be set",
    ],
    ["required message", RouteSchema, { redirect: {} }, "match: must be set"],
    [
      "required oneof, deeper",
      RouteSchema,
      { match: {}, redirect: {} },
      "match: one of prefix, path, safeRegex, connectMatcher, pathSeparatedPrefix, pathMatchPolicy must be set",
    ],
    [
      "pattern",
      RouteSchema,
      { match: { pathSeparatedPrefix: "/a/" }, redirect: {} },
      "match.pathSeparatedPrefix: must match ^[^?#]+[^?#/]$",
    ],
    [
      "max_items",
      RouteSchema,
      {
        match: { prefix: "/" },
        redirect: {},
        requestHeadersToAdd: Array.from({ length: 1001 }, () => ({ header: { key: "a" } })),
      },
      "requestHeadersToAdd: must have at most 1000 elements",
    ],
    [
      "items",
      RouteSchema,
      { match: { prefix: "/" }, redirect: {}, requestHeadersToRemove: ["a", ""] },
      "requestHeadersToRemove[1]: must not be empty",
    ],
    ["header value", HeaderValueSchema, { key: "a", value: "b\nc" }, "value: must not hold NUL, CR or LF"],
    ["max_bytes", HeaderValueSchema, { key: "é".repeat(8193), value: "" }, "key: must have at most 16384 bytes"],
    ["map values", MetadataSchema, { typedFilterMetadata: { "": {} } }, 'typedFilterMetadata[""]: must not be empty'],
  ])("knows %s", (_, schema, json, expected) => {
    expect(breaches(schema, json)).toContain(expected);
  });

  it("checks an optional string only when it is there, with ignore_empty", () => {
    expect(breaches(HttpConnectionManagerSchema, { statPrefix: "a", routeConfig: {}, requestIdExtension: {} })).toEqual(
      [],
    );
    const json = {
      match: { prefix: "/" },
      route: { cluster: "a", hashPolicy: [{ header: { headerName: "no spaces" } }] },
    };
    expect(breaches(RouteSchema, json)).toEqual([]);
    const rewritten = {
      match: { prefix: "/" },
      route: { cluster: "a", hostRewriteLiteral: "a\rb", clusterHeader: undefined },
    };
    expect(breaches(RouteSchema, rewritten)).toEqual(["route.hostRewriteLiteral: must not hold NUL, CR or LF"]);
  });

  it("follows Any and TypedStruct, and names the path through them", () => {
    const hcm = {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      statPrefix: "",
    };
    const struct = {
      "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
      typeUrl: "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      value: { cluster: "a" },
    };
    const json = {
      filterChains: [
        {
          filters: [
            { name: "hcm", typedConfig: hcm },
            { name: "tcp", typedConfig: struct },
          ],
        },
      ],
    };
    expect(breaches(ListenerSchema, json)).toEqual([
      "filterChains[0].filters[0].typedConfig: one of rds, routeConfig, scopedRoutes must be set",
      "filterChains[0].filters[0].typedConfig.statPrefix: must not be empty",
      "filterChains[0].filters[1].typedConfig.statPrefix: must not be empty",
    ]);
    const listener = decodeJson(ListenerSchema, json).message;
    expect(listener && validateMessage(ListenerSchema, listener, { throughAny: false })).toEqual([]);
  });

  it("passes by an Any of a type that it does not know, and refuses bytes that are not the type they claim", () => {
    const any = { ...packAny(TcpProxySchema, create(TcpProxySchema)), value: new Uint8Array([255]) };
    const provider = create(PrivateKeyProviderSchema, {
      providerName: "a",
      configType: { case: "typedConfig", value: any },
    });
    expect(validateMessage(PrivateKeyProviderSchema, provider)[0]?.code).toBe("WIRE_MALFORMED_BYTES");
    const unknown = { ...any, typeUrl: "type.googleapis.com/no.such.Type" };
    const other = create(PrivateKeyProviderSchema, {
      providerName: "a",
      configType: { case: "typedConfig", value: unknown },
    });
    expect(validateMessage(PrivateKeyProviderSchema, other)).toEqual([]);
  });

  it("stops at the limit of faults", () => {
    const message = create(RouteSchema, { requestHeadersToRemove: Array.from({ length: 500 }, () => "") });
    expect(validateMessage(RouteSchema, message, { faults: 3 })).toHaveLength(3);
  });

  it("compares durations to the nanosecond", () => {
    const timeout = create(DurationSchema, { seconds: 0n, nanos: 1 });
    expect(validateMessage(ClusterSchema, create(ClusterSchema, { name: "a", connectTimeout: timeout }))).toEqual([]);
  });
});
