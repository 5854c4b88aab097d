import { decodeStruct, type JsonValue } from "@mixerless/sdk";
import type { FakeHeaders } from "@mixerless/sdk/testing";
import { describe, expect, it } from "vitest";
import {
  CLIENT,
  CLIENT_PEER,
  createMeshHost,
  INBOUND,
  INBOUND_EXCHANGE,
  type MeshHostOptions,
  OUTBOUND,
  OUTBOUND_EXCHANGE,
  type PeerFields,
  peerBytes,
  peerHeader,
  SERVER,
  SERVER_PEER,
} from "../testing/mesh.ts";

const ID = "x-envoy-peer-metadata-id";
const METADATA = "x-envoy-peer-metadata";

const inbound = (options: MeshHostOptions = {}) =>
  createMeshHost({ exchange: INBOUND_EXCHANGE, node: SERVER, direction: INBOUND, ...options });
const outbound = (options: MeshHostOptions = {}) =>
  createMeshHost({ exchange: OUTBOUND_EXCHANGE, node: CLIENT, direction: OUTBOUND, ...options });

const clientHeaders = (): FakeHeaders => [
  [":path", "/"],
  [ID, "client"],
  [METADATA, peerHeader(CLIENT_PEER)],
];
const serverHeaders = (): FakeHeaders => [
  [":status", "200"],
  [ID, "server"],
  [METADATA, peerHeader(SERVER_PEER)],
];

function text(value: JsonValue | null): unknown {
  if (value === null) return null;
  return value.names.length === 0
    ? value.text
    : Object.fromEntries(value.names.map((n, i) => [n, text(value.items[i]!)]));
}

function decoded(header: string | undefined): unknown {
  return text(decodeStruct(Buffer.from(header ?? "", "base64").toString("latin1")));
}

describe("inbound", () => {
  it("learns the client, strips its headers and answers with both", () => {
    const stream = inbound().open({ requestHeaders: clientHeaders() });
    expect(stream.request()).toEqual([[":path", "/"]]);
    expect(stream.stream.state("downstream_peer")).toBe(peerBytes(CLIENT_PEER));
    expect(stream.stream.state("downstream_peer_id")).toBe("client");
    expect(stream.stream.state("peer_not_found")).toBeNull();
    expect(stream.response([[":status", "200"]])).toEqual(serverHeaders());
  });

  describe("from a client with a certificate", () => {
    const certified = (namespace: string, fields: PeerFields = CLIENT_PEER) => {
      const host = inbound();
      const identity = `spiffe://cluster.local/ns/${namespace}/sa/productpage`;
      const open = (headers: FakeHeaders) => {
        const attributes = { connection: { uri_san_peer_certificate: identity } };
        const stream = host.open({ requestHeaders: headers, attributes });
        expect(stream.request()).toEqual([[":path", "/"]]);
        return stream.stream.state("downstream_peer");
      };
      const headers = (): FakeHeaders => [
        [":path", "/"],
        [ID, "client"],
        [METADATA, peerHeader(fields)],
      ];
      return { host, learn: () => open(headers()), open };
    };

    it("believes what the certificate allows", () => {
      expect(certified("default").learn()).toBe(peerBytes(CLIENT_PEER));
      const named = { ...CLIENT_PEER, IDENTITY: "spiffe://cluster.local/ns/default/sa/productpage" };
      expect(certified("default", named).learn()).toBe(peerBytes(named));
    });

    it.each<[string, string, PeerFields]>([
      ["namespace", "elsewhere", CLIENT_PEER],
      ["identity", "default", { ...CLIENT_PEER, IDENTITY: "spiffe://cluster.local/ns/default/sa/admin" }],
    ])("does not believe another %s, and counts that", (claim, namespace, fields) => {
      const { host, learn } = certified(namespace, fields);
      expect([learn(), learn()]).toEqual([null, null]);
      expect(host.metrics.lines()).toContain(`mixerless_peer_metadata_refused_total{claim="${claim}"} 2`);
    });

    it("does not believe by the id what another peer was believed", () => {
      const { host } = certified("default");
      const ask = (namespace: string) => {
        const attributes = {
          connection: { uri_san_peer_certificate: `spiffe://cluster.local/ns/${namespace}/sa/productpage` },
        };
        const stream = host.open({ requestHeaders: clientHeaders(), attributes });
        stream.request();
        return stream.stream.state("downstream_peer");
      };
      expect(ask("default")).toBe(peerBytes(CLIENT_PEER));
      expect(ask("elsewhere")).toBeNull();
    });
  });

  it("answers with the id only if only the id was sent", () => {
    const stream = inbound().open({ requestHeaders: [[ID, "client"]] });
    expect(stream.request()).toEqual([]);
    expect(stream.stream.state("peer_not_found")).toBe("1");
    expect(stream.response([])).toEqual([[ID, "server"]]);
  });

  it("answers with the metadata only if only the metadata was sent", () => {
    const stream = inbound().open({ requestHeaders: [[METADATA, peerHeader(CLIENT_PEER)]] });
    stream.request();
    expect(stream.stream.state("downstream_peer")).toBe(peerBytes(CLIENT_PEER));
    expect(stream.stream.state("downstream_peer_id")).toBeNull();
    expect(stream.response([])).toEqual([[METADATA, peerHeader(SERVER_PEER)]]);
  });

  it("gives nothing to a client that sent nothing", () => {
    const stream = inbound().open({ requestHeaders: [[":path", "/"]] });
    stream.request();
    expect(stream.stream.state("peer_not_found")).toBe("1");
    expect(stream.response([[":status", "200"]])).toEqual([[":status", "200"]]);
  });

  it("does not take an id for a peer, even one that it knows", () => {
    const host = inbound();
    host.open({ requestHeaders: clientHeaders() }).request();
    const stream = host.open({ requestHeaders: [[ID, "client"]] });
    stream.request();
    expect(stream.stream.state("downstream_peer")).toBeNull();
  });

  it("strips repeated headers and reads the first", () => {
    const second = peerHeader({ WORKLOAD_NAME: "other" });
    const stream = inbound().open({ requestHeaders: [...clientHeaders(), [METADATA, second], [ID, "two"]] });
    expect(stream.request()).toEqual([[":path", "/"]]);
    expect(stream.stream.state("downstream_peer")).toBe(peerBytes(CLIENT_PEER));
  });

  it("leaves a peer that is already known", () => {
    const stream = inbound().open({ requestHeaders: clientHeaders() });
    stream.stream.setState({ name: "downstream_peer", slot: 0 }, "first");
    expect(stream.request()).toEqual([[":path", "/"]]);
    expect(stream.stream.state("downstream_peer")).toBe("first");
  });
});

describe("outbound", () => {
  it("sends its own headers, replacing those of the application", () => {
    const stream = outbound().open({
      requestHeaders: [
        [ID, "forged"],
        [":path", "/"],
        [METADATA, "forged"],
      ],
    });
    expect(stream.request()).toEqual(clientHeaders());
    expect(stream.stream.state("downstream_peer")).toBeNull();
  });

  it("learns the server and strips its headers", () => {
    const stream = outbound().open();
    stream.request();
    expect(stream.response(serverHeaders())).toEqual([[":status", "200"]]);
    expect(stream.stream.state("upstream_peer")).toBe(peerBytes(SERVER_PEER));
    expect(stream.stream.state("upstream_peer_id")).toBe("server");
  });

  it("knows that there is no peer once the response has none", () => {
    const stream = outbound().open();
    stream.request();
    expect(stream.stream.state("peer_not_found")).toBeNull();
    stream.response([[":status", "200"]]);
    expect(stream.stream.state("peer_not_found")).toBe("1");
  });

  const to = (name: string, istio: Record<string, boolean>) => ({
    attributes: { xds: { cluster_name: name, cluster_metadata: { filter_metadata: { istio } } } },
  });
  const skipping = {
    ...OUTBOUND_EXCHANGE,
    upstream_propagation: [{ istio_headers: { skip_external_clusters: true } }],
  };

  it.each([
    ["a mesh cluster", OUTBOUND_EXCHANGE, to("c", {}), true],
    ["a cluster with the exchange disabled", OUTBOUND_EXCHANGE, to("c", { disable_mx: true }), false],
    ["an external cluster", OUTBOUND_EXCHANGE, to("c", { external: true }), true],
    ["PassthroughCluster", OUTBOUND_EXCHANGE, to("PassthroughCluster", {}), true],
    ["a mesh cluster, external ones skipped", skipping, to("c", { external: false }), true],
    ["an external cluster, external ones skipped", skipping, to("c", { external: true }), false],
    ["PassthroughCluster, external ones skipped", skipping, to("PassthroughCluster", {}), false],
    ["a disabled cluster, external ones skipped", skipping, to("c", { disable_mx: true }), false],
  ])("to %s", (_what, exchange, options, sent) => {
    const headers = outbound({ exchange }).open(options).request();
    expect(headers.length).toBe(sent ? 2 : 0);
  });
});

describe("configuration", () => {
  it("does nothing without methods", () => {
    const stream = createMeshHost({ exchange: {}, node: SERVER }).open({ requestHeaders: clientHeaders() });
    expect(stream.request()).toEqual(clientHeaders());
    expect(stream.stream.state("downstream_peer")).toBeNull();
    expect(stream.response(serverHeaders())).toEqual(serverHeaders());
  });

  it("strips the headers wherever their method stands in the list", () => {
    const exchange = { downstreamDiscovery: [{ workloadDiscovery: {} }, { istioHeaders: {} }] };
    const stream = createMeshHost({ exchange, node: SERVER }).open({ requestHeaders: clientHeaders() });
    expect(stream.request()).toEqual([[":path", "/"]]);
    expect(stream.stream.state("downstream_peer")).toBe(peerBytes(CLIENT_PEER));
  });

  it("leaves the headers alone if their method is not in the list", () => {
    const exchange = { downstream_discovery: [{ workload_discovery: {} }] };
    const stream = createMeshHost({ exchange, node: SERVER }).open({ requestHeaders: clientHeaders() });
    expect(stream.request()).toEqual(clientHeaders());
  });

  it("refuses what is not JSON and says where", () => {
    const host = createMeshHost({ exchange: '{"downstream_discovery":', node: SERVER });
    expect(host.accepted).toEqual([false]);
    expect(host.logs).toEqual([
      "4: metadata_exchange: the configuration is not a JSON object: the text ends early at byte 24",
    ]);
    expect(createMeshHost({ exchange: "[]", node: SERVER }).accepted).toEqual([false]);
  });

  it("names fields that it does not know", () => {
    const host = createMeshHost({ exchange: { nonsense: 1, shared_with_upstream: true }, node: SERVER });
    expect(host.accepted).toEqual([true]);
    expect(host.logs).toEqual(['3: metadata_exchange: unknown field "nonsense" is ignored']);
  });
});

describe("as the Wasm-era plugin", () => {
  it("learns and answers inbound", () => {
    const stream = inbound({ plugin: true, exchange: {} }).open({ requestHeaders: clientHeaders() });
    expect(stream.request()).toEqual([[":path", "/"]]);
    expect(stream.response([[":status", "200"]])).toEqual(serverHeaders());
    expect(stream.stream.state("upstream_peer")).toBeNull();
  });

  it.each([OUTBOUND, 0])("strips, stores and replaces in direction %d", (direction) => {
    const stream = outbound({ plugin: true, exchange: "", direction }).open({
      requestHeaders: [
        [ID, "inner"],
        [METADATA, peerHeader({ WORKLOAD_NAME: "inner" })],
        [":path", "/"],
      ],
    });
    expect(stream.request()).toEqual(clientHeaders());
    expect(stream.stream.state("downstream_peer")).toBe(peerBytes({ WORKLOAD_NAME: "inner" }));
    expect(stream.response(serverHeaders())).toEqual([[":status", "200"]]);
    expect(stream.stream.state("upstream_peer")).toBe(peerBytes(SERVER_PEER));
  });

  it("does not take a missing client for a missing server", () => {
    const stream = outbound({ plugin: true, exchange: {} }).open();
    stream.request();
    expect(stream.stream.state("peer_not_found")).toBeNull();
  });
});

describe("own metadata", () => {
  const sent = (node: MeshHostOptions["node"], labels: string[] = []) => {
    const exchange = { ...OUTBOUND_EXCHANGE, additional_labels: labels };
    const headers = createMeshHost({ exchange, node: node ?? {} })
      .open()
      .request();
    return new Map(headers);
  };

  it("has the fields that peers read, and of the labels four", () => {
    expect(decoded(sent(CLIENT).get(METADATA))).toEqual(CLIENT_PEER);
  });

  it("has the additional labels that the node has", () => {
    const labels = (decoded(sent(CLIENT, ["role", "absent"]).get(METADATA)) as { LABELS: object }).LABELS;
    expect(labels).toEqual({ ...(CLIENT_PEER.LABELS as object), role: "frontend" });
  });

  it("has identity and locality where they are known, and rebuilds the owner", () => {
    const node = {
      id: "n",
      locality: { region: "eu", zone: "eu-1" },
      metadata: {
        NAMESPACE: "shop",
        WORKLOAD_NAME: "batch",
        OWNER: "kubernetes://apis/batch/v1/namespaces/x/jobs/batch",
        IDENTITY: "spiffe://cluster.local/ns/shop/sa/batch",
      },
    };
    expect(decoded(sent(node).get(METADATA))).toEqual({
      NAMESPACE: "shop",
      WORKLOAD_NAME: "batch",
      OWNER: "kubernetes://apis/apps/v1/namespaces/shop/jobs/batch",
      IDENTITY: "spiffe://cluster.local/ns/shop/sa/batch",
      REGION: "eu",
      AVAILABILITY_ZONE: "eu-1",
    });
  });

  it("has no owner of a type that upstream does not know", () => {
    const metadata = { WORKLOAD_NAME: "db", OWNER: "kubernetes://apis/apps/v1/namespaces/x/statefulsets/db" };
    expect(decoded(sent({ metadata }).get(METADATA))).toEqual({ WORKLOAD_NAME: "db" });
  });

  it("is left out where the node has nothing to say", () => {
    expect([...sent({})]).toEqual([]);
  });

  it("is padded base64 of the sorted encoding", () => {
    expect(sent(CLIENT).get(METADATA)).toBe(peerHeader(CLIENT_PEER));
    expect((sent(CLIENT).get(METADATA)?.length ?? 1) % 4).toBe(0);
  });
});

describe("the cache", () => {
  const visit = (host: ReturnType<typeof inbound>, id: string | null, workload: string) => {
    const requestHeaders: FakeHeaders = [[METADATA, peerHeader({ WORKLOAD_NAME: workload })]];
    if (id !== null) requestHeaders.push([ID, id]);
    const stream = host.open({ requestHeaders });
    expect(stream.request()).toEqual([]);
    return stream.stream.state("downstream_peer") === peerBytes({ WORKLOAD_NAME: workload });
  };

  it("believes an id that it knows, whatever comes with it", () => {
    const host = inbound();
    expect(visit(host, "a", "one")).toBe(true);
    expect(visit(host, "a", "two")).toBe(false);
    expect(visit(host, "b", "two")).toBe(true);
  });

  it("decodes every time without an id, or with one that is too long", () => {
    const host = inbound();
    for (const id of [null, "x".repeat(1025)]) {
      expect(visit(host, id, "one")).toBe(true);
      expect(visit(host, id, "two")).toBe(true);
    }
  });

  it("forgets the oldest quarter when it holds more than its size", () => {
    const host = inbound({ exchange: { ...INBOUND_EXCHANGE, max_peer_cache_size: 8 } });
    for (let i = 0; i < 9; i++) expect(visit(host, `peer-${i}`, "one")).toBe(true);
    expect(visit(host, "peer-2", "two")).toBe(false);
    expect(visit(host, "peer-8", "two")).toBe(false);
    expect(visit(host, "peer-0", "two")).toBe(true);
    expect(visit(host, "peer-1", "two")).toBe(true);
  });

  it("is off for sizes of 0 and less", () => {
    for (const size of [0, -1]) {
      const host = inbound({ exchange: { ...INBOUND_EXCHANGE, max_peer_cache_size: size } });
      expect(visit(host, "a", "one")).toBe(true);
      expect(visit(host, "a", "two")).toBe(true);
    }
  });

  it("keeps 500 peers by default and 1000 different ones right", () => {
    const host = inbound();
    for (let i = 0; i < 1000; i++) expect(visit(host, `peer-${i}`, `workload-${i}`)).toBe(true);
    expect(visit(host, "peer-999", "changed")).toBe(false);
    expect(visit(host, "peer-0", "changed")).toBe(true);
  });

  it("does not keep what cannot be read", () => {
    const host = inbound();
    const broken = host.open({
      requestHeaders: [
        [ID, "a"],
        [METADATA, "!!"],
      ],
    });
    broken.request();
    expect(visit(host, "a", "one")).toBe(true);
  });
});

describe("a hostile peer", () => {
  const good = peerHeader(CLIENT_PEER);
  const raw = (bytes: string) => Buffer.from(bytes, "latin1").toString("base64");
  const deep = (n: number): string =>
    n === 0 ? "" : `\x0a${lengthed(`\x0a\x01k\x12${lengthed(`\x2a${lengthed(deep(n - 1))}`)}`)}`;
  const lengthed = (s: string) => String.fromCharCode((s.length & 127) | 128, s.length >> 7) + s;

  it.each([
    ["nothing", ""],
    ["what is not base64", "@@@@"],
    ["base64 cut short", good.slice(0, -5)],
    ["a Struct cut short", raw(peerBytes(CLIENT_PEER).slice(0, -3))],
    ["text that is not UTF-8", raw(peerBytes({ WORKLOAD_NAME: "\u00ff" }))],
    ["white space", ` ${good}`],
    ["deep nesting", raw(deep(20))],
    ["too many fields", peerHeader(Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`f${i}`, "x"])))],
    [
      "more than 16 KiB",
      peerHeader(Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`f${i}`, "x".repeat(3000)]))),
    ],
    ["a field of more than 4 KiB", peerHeader({ WORKLOAD_NAME: "x".repeat(4097) })],
  ])("that sends %s is not found, stripped and answered", (_what, header) => {
    const stream = inbound().open({
      requestHeaders: [
        [ID, "evil"],
        [METADATA, header],
      ],
    });
    expect(stream.request()).toEqual([]);
    expect(stream.stream.state("downstream_peer")).toBeNull();
    expect(stream.stream.state("downstream_peer_id")).toBeNull();
    expect(stream.stream.state("peer_not_found")).toBe("1");
    expect(stream.response([]).map((header) => header[0])).toEqual(header === "" ? [ID] : [ID, METADATA]);
  });
});
