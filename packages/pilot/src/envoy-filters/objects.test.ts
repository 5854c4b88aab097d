// Clusters, routes, listeners and chains [control-plane §1.5 to §1.8, §1.11].
import type { JsonObject } from "@bufbuild/protobuf";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { describe, expect, test } from "vitest";
import type { GenerationContext } from "./patch.ts";
import { patchCluster } from "./patch-cluster.ts";
import { patchListener } from "./patch-listener.ts";
import { patchRouteConfiguration } from "./patch-routes.ts";
import {
  asJson,
  filter,
  listener,
  MANAGER,
  manager,
  message,
  patching,
  type ShortPatch,
  tcpFilter,
  Witness,
} from "./testing/patched.ts";

const TYPE = "type.googleapis.com/";
const TLS = `${TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`;
const tls = (sni: string, name = "envoy.transport_sockets.tls"): JsonObject => ({
  name,
  typed_config: { "@type": TLS, sni },
});

describe("a cluster match", () => {
  const hit = (name: string, match: JsonObject, hosts: string[] = []) => {
    const log = new Witness();
    const patches: ShortPatch[] = [["CLUSTER", { cluster: match }, "MERGE", { alt_stat_name: "x" }]];
    patchCluster(patching("SIDECAR_OUTBOUND", patches, log), message(ClusterSchema, { name }), hosts);
    return log.hits.length > 0;
  };

  test.each<[string, JsonObject, boolean]>([
    ["outbound|80|v1|foo.bar", {}, true],
    ["outbound|80|v1|foo.bar", { portNumber: 80, subset: "v1", service: "foo.bar" }, true],
    ["outbound|80|v2|foo.bar", { portNumber: 80, subset: "v1", service: "foo.bar" }, false],
    ["outbound|90|v1|foo.bar", { portNumber: 80, subset: "v1", service: "foo.bar" }, false],
    ["outbound|80|v1|foo.bar", { name: "outbound|80|v1|foo.bar", service: "ignored" }, true],
    ["outbound|80|v1|foo.bar", { name: "other" }, false],
    ["inbound|80||", { service: "foo.bar" }, true],
    ["inbound|80||", { service: "other" }, false],
    ["inbound|80||", { portNumber: 80 }, true],
    ["PassthroughCluster", {}, true],
    ["PassthroughCluster", { name: "PassthroughCluster" }, true],
    ["PassthroughCluster", { portNumber: 80 }, false],
  ])("%s, %j: %s", (name, match, expected) => {
    expect(hit(name, match, name.startsWith("inbound") ? ["foo.bar"] : [])).toBe(expected);
  });
});

describe("a CLUSTER patch", () => {
  const merged = (before: JsonObject, value: JsonObject, log = new Witness()) => {
    const cluster = message(ClusterSchema, { name: "c", ...before });
    patchCluster(patching("SIDECAR_OUTBOUND", [["CLUSTER", null, "MERGE", value]], log), cluster, []);
    return asJson(ClusterSchema, cluster);
  };

  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    ["scalars are overwritten", { alt_stat_name: "a" }, { alt_stat_name: "b" }, { alt_stat_name: "b" }],
    ["zero does not count as set", { alt_stat_name: "a" }, { alt_stat_name: "" }, { alt_stat_name: "a" }],
    [
      "messages are merged",
      { common_lb_config: { healthy_panic_threshold: { value: 5 } } },
      { common_lb_config: { update_merge_window: "1s" } },
      { common_lb_config: { healthy_panic_threshold: { value: 5 }, update_merge_window: "1s" } },
    ],
    ["a duration is one value", { connect_timeout: "1.5s" }, { connect_timeout: "2s" }, { connect_timeout: "2s" }],
    [
      "wrappers can be reset",
      { respect_dns_ttl: true, per_connection_buffer_limit_bytes: 5 },
      { per_connection_buffer_limit_bytes: 0 },
      { respect_dns_ttl: true, per_connection_buffer_limit_bytes: 0 },
    ],
    [
      "the other member of a oneof goes",
      { type: "EDS" },
      { cluster_type: { name: "x" } },
      { cluster_type: { name: "x" } },
    ],
    [
      "lists grow",
      { filters: [{ name: "a" }] },
      { filters: [{ name: "b" }] },
      { filters: [{ name: "a" }, { name: "b" }] },
    ],
    [
      "entries of maps are replaced",
      { metadata: { filter_metadata: { a: { x: 1, y: 1 }, b: { x: 1 } } } },
      { metadata: { filter_metadata: { a: { x: 2 } } } },
      { metadata: { filter_metadata: { a: { x: 2 }, b: { x: 1 } } } },
    ],
    [
      "a socket of the same name is merged",
      { transport_socket: tls("a") },
      {
        transport_socket: { name: "envoy.transport_sockets.tls", typed_config: { "@type": TLS, max_session_keys: 3 } },
      },
      {
        transport_socket: {
          name: "envoy.transport_sockets.tls",
          typed_config: { "@type": TLS, sni: "a", max_session_keys: 3 },
        },
      },
    ],
    [
      "a socket of another name is replaced, and nothing else happens",
      { transport_socket: tls("a") },
      { transport_socket: tls("b", "other"), alt_stat_name: "x" },
      { transport_socket: tls("b", "other") },
    ],
    [
      "a socket among matches is merged by name",
      { transport_socket_matches: [{ name: "m", transport_socket: tls("a") }] },
      { transport_socket: tls("b") },
      { transport_socket_matches: [{ name: "m", transport_socket: tls("b") }] },
    ],
  ])("%s", (_, before, value, after) => {
    expect(merged(before, value)).toEqual({ name: "c", ...after });
  });

  test("that brings a socket which no match has is dropped and told", () => {
    const log = new Witness();
    const before = { transport_socket_matches: [{ name: "m", transport_socket: tls("a") }] };
    expect(merged(before, { transport_socket: tls("b", "other"), alt_stat_name: "x" }, log)).toEqual({
      name: "c",
      ...before,
    });
    expect(log.problems).toEqual(["cluster c: none of its transport_socket_matches has a socket other"]);
  });

  test("leaves its own value as it is, however many clusters it changes", () => {
    const patches = patching("SIDECAR_OUTBOUND", [["CLUSTER", null, "MERGE", { filters: [{ name: "a" }] }]]);
    for (let i = 0; i < 3; i++) {
      const cluster = message(ClusterSchema, { name: `c${i}` });
      patchCluster(patches, cluster, []);
      patchCluster(patches, cluster, []);
      expect(cluster.filters.map(({ name }) => name)).toEqual(["a", "a"]);
    }
  });
});

describe("a MERGE into a filter", () => {
  const FAULT = "envoy.extensions.filters.http.fault.v3.HTTPFault";
  const match = (name: string): JsonObject => ({
    listener: { filterChain: { filter: { name: MANAGER, subFilter: { name } } } },
  });
  const after = (before: JsonObject, value: JsonObject, log = new Witness()) => {
    const target = listener({ filter_chains: [{ filters: [manager([], { http_filters: [before] })] }] });
    patchListener(
      patching("SIDECAR_OUTBOUND", [["HTTP_FILTER", match(before.name as string), "MERGE", value]], log),
      target,
    );
    const json = asJson(ListenerSchema, target) as unknown as {
      filter_chains: { filters: { typed_config: { http_filters: JsonObject[] } }[] }[];
    };
    return json.filter_chains[0]?.filters[0]?.typed_config.http_filters[0];
  };
  const fault = (fields: JsonObject): JsonObject => ({ name: "f", typed_config: { "@type": TYPE + FAULT, ...fields } });

  test("merges what lies in typed_config", () => {
    expect(after(fault({ upstream_cluster: "a" }), fault({ max_active_faults: 3 }))).toEqual(
      fault({ upstream_cluster: "a", max_active_faults: 3 }),
    );
  });

  test("of another type is dropped, and told", () => {
    const log = new Witness();
    expect(after(fault({}), filter("f"), log)).toEqual(fault({}));
    expect(log.problems).toEqual([
      `HTTP filter f of listener l: its typed_config is a ${FAULT}, that of the patch a envoy.extensions.filters.http.cors.v3.Cors`,
    ]);
  });

  test("needs a typed_config", () => {
    const discovered = { name: "f", config_discovery: { config_source: { ads: {} }, type_urls: [TYPE + FAULT] } };
    const log = new Witness();
    expect(after(discovered, fault({ max_active_faults: 3 }), log)).toEqual(discovered);
    expect(log.problems).toEqual(["HTTP filter f of listener l has no typed_config that a MERGE could change"]);
  });

  test("of a TypedStruct replaces its entries", () => {
    const struct = (value: JsonObject): JsonObject => ({
      name: "f",
      typed_config: { "@type": `${TYPE}udpa.type.v1.TypedStruct`, type_url: "x/stats.PluginConfig", value },
    });
    expect(after(struct({ a: { x: 1 }, b: 1 }), struct({ a: { y: 1 } }))).toEqual(struct({ a: { y: 1 }, b: 1 }));
  });

  test("of a connection manager appends to its lists", () => {
    const target = listener({ filter_chains: [{ filters: [manager(["a"])] }] });
    const value = manager(["b"]);
    const patches: ShortPatch[] = [
      ["NETWORK_FILTER", { listener: { filterChain: { filter: { name: MANAGER } } } }, "MERGE", value],
    ];
    patchListener(patching("SIDECAR_OUTBOUND", patches), target);
    expect(JSON.stringify(asJson(ListenerSchema, target))).toMatch(/"name":"a".*"name":"b"/);
  });
});

describe("filter chains", () => {
  const ALTS = {
    name: "envoy.transport_sockets.alts",
    typed_config: { "@type": `${TYPE}envoy.extensions.transport_sockets.alts.v3.Alts`, handshaker_service: "h" },
  };
  const chain = { filters: [tcpFilter("a")] };
  const after = (fields: JsonObject, patch: ShortPatch) => {
    const target = listener(fields);
    patchListener(patching("SIDECAR_INBOUND", [patch]), target);
    return asJson(ListenerSchema, target);
  };

  test.each([
    ["a chain with another socket", { ...chain, transport_socket: tls("a") }],
    ["a chain without one", chain],
  ])("MERGE of a transport socket onto %s", (_, before) => {
    const json = after({ filter_chains: [before] }, ["FILTER_CHAIN", null, "MERGE", { transport_socket: ALTS }]);
    expect(json.filter_chains).toEqual([{ ...chain, transport_socket: ALTS }]);
  });

  test.each<[string, JsonObject, boolean]>([
    ["sni", { sni: "a.com" }, true],
    ["another sni", { sni: "b.com" }, false],
    ["transport", { transportProtocol: "tls" }, true],
    ["protocols, all of them", { applicationProtocols: "h2,http/1.1" }, true],
    ["protocols, one too many", { applicationProtocols: "h2,h3" }, false],
    ["destination port", { destinationPort: 80 }, true],
    ["another destination port", { destinationPort: 81 }, false],
    ["name", { name: "c" }, true],
  ])("are matched by %s", (_, filterChain, hit) => {
    const match = {
      server_names: ["a.com"],
      transport_protocol: "tls",
      application_protocols: ["h2", "http/1.1"],
      destination_port: 80,
    };
    const json = after({ filter_chains: [{ ...chain, name: "c", filter_chain_match: match }] }, [
      "FILTER_CHAIN",
      { listener: { filterChain } },
      "REMOVE",
    ]);
    expect(json.filter_chains === undefined).toBe(hit);
  });

  test("the port of a virtual listener is the destination port of its chains", () => {
    const chains = [
      { ...chain, name: "8080", filter_chain_match: { destination_port: 8080 } },
      { ...chain, name: "any" },
    ];
    const target = {
      ...{ name: "virtualInbound", filter_chains: chains },
      address: { socket_address: { address: "0.0.0.0", port_value: 15006 } },
    };
    const json = after(target, ["FILTER_CHAIN", { listener: { portNumber: 8080 } }, "REMOVE"]);
    expect(json.filter_chains).toEqual([chains[1]]);
    expect(
      after(target, ["LISTENER", { listener: { portNumber: 15006 } }, "MERGE", { stat_prefix: "x" }]).stat_prefix,
    ).toBe("x");
    expect(
      after(target, ["LISTENER", { listener: { portNumber: 8080 } }, "MERGE", { stat_prefix: "x" }]).stat_prefix,
    ).toBeUndefined();
  });

  test("ADD appends, and what was added is not patched itself", () => {
    const json = after({ filter_chains: [chain] }, [
      "FILTER_CHAIN",
      null,
      "ADD",
      { name: "new", filters: [tcpFilter("b")] },
    ]);
    expect(json.filter_chains).toEqual([chain, { name: "new", filters: [tcpFilter("b")] }]);
  });
});

describe("routes", () => {
  const route = (name: string, action: JsonObject = { route: { cluster: "c" } }): JsonObject => ({
    name,
    match: { prefix: "/" },
    ...action,
  });
  const redirect = { redirect: { path_redirect: "/" } };
  const hosts = [
    { name: "h1", domains: ["a.com"], routes: [route("r1"), route("r2", redirect)] },
    { name: "h2", domains: ["b.com"], routes: [route("r1")] },
  ];
  const after = (
    patches: ShortPatch[],
    name = "80",
    context: GenerationContext = "SIDECAR_OUTBOUND",
    log = new Witness(),
  ) => {
    const target = message(RouteConfigurationSchema, { name, virtual_hosts: hosts });
    patchRouteConfiguration(patching(context, patches, log), target);
    return target.virtualHosts.map(
      (host) => `${host.name}: ${host.routes.map((entry) => entry.name + (entry.decorator ? "*" : "")).join(" ")}`,
    );
  };
  const UNTOUCHED = ["h1: r1 r2", "h2: r1"];
  const vhost = (fields: JsonObject): JsonObject => ({ routeConfiguration: { vhost: fields } });
  const mark = { decorator: { operation: "x" } };

  test.each<[string, ShortPatch[], string[]]>([
    [
      "MERGE by name of host and route",
      [["HTTP_ROUTE", vhost({ name: "h1", route: { name: "r1" } }), "MERGE", mark]],
      ["h1: r1* r2", "h2: r1"],
    ],
    ["MERGE by domain", [["HTTP_ROUTE", vhost({ domainName: "b.com" }), "MERGE", mark]], ["h1: r1 r2", "h2: r1*"]],
    [
      "MERGE by action ROUTE",
      [["HTTP_ROUTE", vhost({ route: { action: "ROUTE" } }), "MERGE", mark]],
      ["h1: r1* r2", "h2: r1*"],
    ],
    [
      "MERGE by action REDIRECT",
      [["HTTP_ROUTE", vhost({ route: { action: "REDIRECT" } }), "MERGE", mark]],
      ["h1: r1 r2*", "h2: r1"],
    ],
    ["REMOVE", [["HTTP_ROUTE", vhost({ route: { name: "r1" } }), "REMOVE"]], ["h1: r2", "h2: "]],
    [
      "INSERT_BEFORE the first hit",
      [["HTTP_ROUTE", vhost({ name: "h1", route: { name: "r2" } }), "INSERT_BEFORE", route("x")]],
      ["h1: r1 x r2", "h2: r1"],
    ],
    [
      "INSERT_AFTER",
      [["HTTP_ROUTE", vhost({ route: { name: "r1" } }), "INSERT_AFTER", route("x")]],
      ["h1: r1 x r2", "h2: r1 x"],
    ],
    [
      "INSERT_FIRST only where a route matches",
      [["HTTP_ROUTE", vhost({ route: { name: "r2" } }), "INSERT_FIRST", route("x")]],
      ["h1: x r1 r2", "h2: r1"],
    ],
    ["ADD", [["HTTP_ROUTE", vhost({ name: "h2" }), "ADD", route("x")]], ["h1: r1 r2", "h2: r1 x"]],
    [
      "REPLACE of routes is ignored",
      [["HTTP_ROUTE", vhost({ route: { name: "r1" } }), "REPLACE", route("x")]],
      UNTOUCHED,
    ],
    [
      "a virtual host is added",
      [["VIRTUAL_HOST", null, "ADD", { name: "h3", domains: ["c.com"] }]],
      [...UNTOUCHED, "h3: "],
    ],
    ["a virtual host is removed", [["VIRTUAL_HOST", vhost({ name: "h1" }), "REMOVE"]], ["h2: r1"]],
    [
      "and with it one added by the same name",
      [
        ["VIRTUAL_HOST", vhost({ name: "h1" }), "REMOVE"],
        ["VIRTUAL_HOST", null, "ADD", { name: "h1" }],
      ],
      ["h2: r1"],
    ],
    ["every matching virtual host is replaced", [["VIRTUAL_HOST", null, "REPLACE", { name: "h" }]], ["h: ", "h: "]],
    ["ADD of a route configuration is ignored", [["ROUTE_CONFIGURATION", null, "ADD", { name: "x" }]], UNTOUCHED],
  ])("%s", (_, patches, expected) => expect(after(patches)).toEqual(expected));

  test.each<[string, GenerationContext, JsonObject, boolean]>([
    ["80", "SIDECAR_OUTBOUND", { portNumber: 80 }, true],
    ["80", "SIDECAR_OUTBOUND", { name: "80" }, true],
    ["host:80", "SIDECAR_OUTBOUND", { portNumber: 80 }, false],
    ["127.1.0.1_80", "SIDECAR_OUTBOUND", { portNumber: 80 }, true],
    ["inbound|80||", "SIDECAR_INBOUND", { portNumber: 80 }, true],
    ["http.8080", "GATEWAY", { portNumber: 8080 }, true],
    ["http.8080", "GATEWAY", { portName: "http" }, false],
    ["http.8080", "GATEWAY", { gateway: "ns1/gw1" }, false],
    ["https.443.app1.gw1.ns1", "GATEWAY", { portNumber: 443 }, true],
    ["https.443.app1.gw1.ns1", "GATEWAY", { portName: "app1", gateway: "ns1/gw1" }, true],
    ["https.443.app1.gw1.ns1", "GATEWAY", { portName: "app2" }, false],
    ["https.443.app1.gw1.ns1", "GATEWAY", { gateway: "ns1/gw2" }, false],
  ])("%s of %s, %j: %s", (name, context, match, hit) => {
    const changed = after([["HTTP_ROUTE", { routeConfiguration: match }, "ADD", route("x")]], name, context);
    expect(changed[0]?.endsWith("x")).toBe(hit);
  });

  test("what is not there is told with what is", () => {
    const log = new Witness();
    after(
      [["HTTP_ROUTE", vhost({ name: "h1", route: { name: "r3" } }), "INSERT_BEFORE", route("x")]],
      "80",
      "SIDECAR_OUTBOUND",
      log,
    );
    expect(log.misses.find(({ depth }) => depth === 4)?.text).toBe(
      "virtual host h1 of routes 80 has no route r3; it has r1, r2",
    );
  });
});
