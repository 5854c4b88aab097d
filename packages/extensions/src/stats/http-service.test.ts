import type { Attribute, FakeHeaders } from "@mixerless/sdk/testing";
import { describe, expect, it } from "vitest";
import { client, label, labelsByName, server, service } from "../testing/http-call.ts";
import { type MeshHostOptions } from "../testing/mesh.ts";

describe("service", () => {
  const pair = (options: MeshHostOptions, xds: Attribute, host = "127.0.0.1:8080") => {
    const headers: FakeHeaders = [[":authority", host]];
    const seen = labelsByName(options, { headers, attributes: { xds } });
    return [seen["destination_service"], seen["destination_service_name"], seen["destination_service_namespace"]];
  };
  const services = (...list: Attribute[]) => ({ cluster_metadata: { filter_metadata: { istio: { services: list } } } });
  const strict = { disableHostHeaderFallback: true };

  it.each([
    ["host header", client, {}, ["127.0.0.1:8080", "127.0.0.1:8080", "unknown"]],
    ["host header on the server", server, {}, ["127.0.0.1:8080", "127.0.0.1:8080", "default"]],
    ["no fallback on the client", { ...client, stats: strict }, {}, ["unknown", "unknown", "unknown"]],
    ["no fallback on the server: canonical name", { ...server, stats: strict }, {}, ["ratings", "ratings", "default"]],
    [
      "first service of several",
      client,
      services({ host: "a.b", name: "x", namespace: "n" }, { host: "c" }),
      ["a.b", "x", "n"],
    ],
    ["no name: the host up to the first dot", client, services({ host: "a.b.c", namespace: "n" }), ["a.b.c", "a", "n"]],
    ["no name and no dot", client, services({ host: "a" }), ["a", "a", "unknown"]],
    ["no host: that of the header", client, services({ name: "x", namespace: "n" }), ["127.0.0.1:8080", "x", "n"]],
    [
      "the server's own namespace wins",
      server,
      services({ host: "h", name: "x", namespace: "n" }),
      ["h", "x", "default"],
    ],
    ["an empty list", client, services(), ["127.0.0.1:8080", "127.0.0.1:8080", "unknown"]],
    ["route block_all", client, { route_name: "block_all" }, ["127.0.0.1:8080", "BlackHoleCluster", "unknown"]],
    ["route allow_any", client, { route_name: "allow_any" }, ["127.0.0.1:8080", "PassthroughCluster", "unknown"]],
    [
      "cluster BlackHoleCluster",
      client,
      { cluster_name: "BlackHoleCluster" },
      ["127.0.0.1:8080", "BlackHoleCluster", "unknown"],
    ],
    [
      "cluster PassthroughCluster",
      client,
      { cluster_name: "PassthroughCluster" },
      ["127.0.0.1:8080", "PassthroughCluster", "unknown"],
    ],
    [
      "cluster InboundPassthroughCluster",
      server,
      { cluster_name: "InboundPassthroughCluster" },
      ["127.0.0.1:8080", "InboundPassthroughCluster", "default"],
    ],
    [
      "cluster InboundPassthroughClusterIpv4",
      server,
      { cluster_name: "InboundPassthroughClusterIpv4" },
      ["127.0.0.1:8080", "InboundPassthroughClusterIpv4", "default"],
    ],
    [
      "cluster InboundPassthroughClusterIpv6",
      { ...server, stats: strict },
      { cluster_name: "InboundPassthroughClusterIpv6" },
      ["ratings", "InboundPassthroughClusterIpv6", "default"],
    ],
    ["another cluster", client, { cluster_name: "outbound|80||x" }, ["127.0.0.1:8080", "127.0.0.1:8080", "unknown"]],
  ])("%s", (_what, options, xds, expected) => {
    expect(pair(options as MeshHostOptions, xds as Attribute)).toEqual(expected);
  });

  it("has the namespace of the peer where the cluster names none, and the cluster's else", () => {
    const upstream = { NAMESPACE: "peer-ns" };
    expect(label("destination_service_namespace", client, { upstream })).toBe("peer-ns");
    expect(label("destination_service_namespace", client, { upstream, attributes: service })).toBe("default");
  });
});
