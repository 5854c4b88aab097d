import { describe, expect, it } from "vitest";
import { clusterRows, filterClusters } from "./clusters.ts";
import { ConfigDump } from "./config-dump.ts";
import { compareConfiguration } from "./configuration-diff.ts";
import { endpointRows, endpointsOfClusters, endpointsOfDump, filterEndpoints } from "./endpoints.ts";
import { filterListeners, listenerRows } from "./listeners.ts";
import { routeRows } from "./routes.ts";
import { renderTable } from "./table.ts";

const ADMIN = "type.googleapis.com/envoy.admin.v3.";
const istio = (kind: string, name: string) => ({
  metadata: {
    filter_metadata: { istio: { config: `/apis/networking.istio.io/v1/namespaces/default/${kind}/${name}` } },
  },
});
const at = (address: string, port_value: number) => ({ address: { socket_address: { address, port_value } } });
const hcm = (typed_config: object) => ({ name: "envoy.filters.network.http_connection_manager", typed_config });
const tcp = (cluster: string) => ({ name: "envoy.filters.network.tcp_proxy", typed_config: { cluster } });

describe("clusters", () => {
  const clusters = [
    {
      name: "outbound|9080|v2|reviews.default.svc.cluster.local",
      type: "EDS",
      ...istio("destination-rule", "reviews"),
    },
    { name: "outbound|9080||reviews.default.svc.cluster.local", type: "EDS" },
    { name: "inbound|8080||", type: "STATIC" },
    { name: "BlackHoleCluster" },
  ];

  it("show name, port, subset, direction, type and DestinationRule, by name, port and subset", () => {
    expect(clusterRows(clusters)).toEqual([
      ["", "8080", "-", "inbound", "STATIC", ""],
      ["BlackHoleCluster", "-", "-", "-", "STATIC", ""],
      ["reviews.default.svc.cluster.local", "9080", "-", "outbound", "EDS", ""],
      ["reviews.default.svc.cluster.local", "9080", "v2", "outbound", "EDS", "reviews.default"],
    ]);
  });

  it("are chosen by name, port, subset and direction", () => {
    const names = (filter: object) =>
      filterClusters(clusters, filter).map((cluster) => (cluster as { name: string }).name);
    expect(names({ subset: "v2" })).toEqual(["outbound|9080|v2|reviews.default.svc.cluster.local"]);
    expect(names({ direction: "inbound" })).toEqual(["inbound|8080||"]);
    expect(names({ fqdn: "reviews", port: 9080 })).toHaveLength(2);
    expect(names({ fqdn: "reviews", port: 9081 })).toEqual([]);
  });
});

describe("listeners", () => {
  const chain = (filter_chain_match: object, filter: object) => ({ filter_chain_match, filters: [filter] });
  const listeners = [
    {
      ...at("0.0.0.0", 8080),
      filter_chains: [
        chain(
          { transport_protocol: "raw_buffer", application_protocols: ["http/1.1", "h2c"] },
          hcm({ rds: { route_config_name: "8080" } }),
        ),
      ],
      default_filter_chain: { filters: [tcp("PassthroughCluster")] },
    },
    {
      ...at("10.0.0.1", 443),
      filter_chains: [
        chain({ server_names: ["a", "b"], transport_protocol: "tls" }, tcp("outbound|443||a")),
        chain(
          { destination_port: 443, prefix_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] },
          tcp("BlackHoleCluster"),
        ),
      ],
    },
    {
      ...at("127.0.10.1", 15090),
      filter_chains: [
        {
          filters: [
            hcm({
              route_config: {
                virtual_hosts: [{ domains: ["*"], routes: [{ match: { prefix: "/stats" }, route: { cluster: "x" } }] }],
              },
            }),
          ],
        },
      ],
    },
  ];

  it("show a row for each chain: what it matches, where it leads [§10.3]", () => {
    expect(listenerRows(listeners)).toEqual([
      ["10.0.0.1", "443", "SNI: a,b; Trans: tls", "Cluster: outbound|443||a"],
      ["10.0.0.1", "443", "Addr: 10.0.0.0/8:443", "Non-HTTP/Non-TCP"],
      ["0.0.0.0", "8080", "Trans: raw_buffer; App: HTTP", "Route: 8080"],
      ["0.0.0.0", "8080", "ALL", "PassthroughCluster"],
      ["127.0.10.1", "15090", "ALL", "Inline Route: * /stats*"],
    ]);
  });

  it("are chosen by port, address and type", () => {
    expect(filterListeners(listeners, { type: "HTTP+TCP" })).toEqual([listeners[0]]);
    expect(filterListeners(listeners, { type: "tcp" })).toEqual([listeners[1]]);
    expect(filterListeners(listeners, { port: 15090, address: "127.0.10.1" })).toEqual([listeners[2]]);
  });

  it("with one route for everything name its cluster", () => {
    const inbound = {
      virtual_hosts: [{ domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "inbound|8080||" } }] }],
    };
    const listener = { ...at("127.0.10.1", 9080), filter_chains: [{ filters: [hcm({ route_config: inbound })] }] };
    expect(listenerRows([listener])[0]?.[3]).toBe("Cluster: inbound|8080||");
  });
});

describe("routes", () => {
  it("show two short names, the match and the VirtualService, and leave unknown hosts out", () => {
    const match = (matched: object, more: object = {}) => ({ match: matched, route: { cluster: "c" }, ...more });
    const config = {
      name: "9080",
      virtual_hosts: [
        {
          name: "reviews:9080",
          domains: ["reviews.default.svc.cluster.local", "reviews:9080", "reviews.default", "reviews", "10.0.0.1"],
          routes: [
            match({ prefix: "/a" }, istio("virtual-service", "reviews")),
            match({ path: "/b" }),
            match({ safe_regex: { regex: "/c.*" } }),
            match({ path_separated_prefix: "/d" }),
            { match: { prefix: "/" }, direct_response: { status: 404 } },
          ],
        },
        {
          name: "allow_any",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "PassthroughCluster" } }],
        },
      ],
    };
    const start = ["9080", "reviews:9080", "reviews, 10.0.0.1 + 2 more..."];
    expect(routeRows([config])).toEqual([
      [...start, "/a*", "reviews.default"],
      [...start, "/b", ""],
      [...start, "regex /c.*", ""],
      [...start, "PathPrefix:/d", ""],
      [...start, "/*", "404"],
    ]);
  });
});

describe("endpoints", () => {
  const host = (port: number, health_status: object) => ({
    ...at("10.0.0.1", port),
    health_status,
    locality: { region: "eu", zone: "a" },
  });

  it("show an ejected host as unhealthy, and are chosen by status, port and cluster", () => {
    const clusters = {
      cluster_statuses: [
        { name: "b", host_statuses: [host(80, { eds_health_status: "HEALTHY", failed_outlier_check: true })] },
        {
          name: "a",
          host_statuses: [host(80, { eds_health_status: "HEALTHY" }), host(81, { eds_health_status: "DRAINING" })],
        },
      ],
    };
    const endpoints = endpointsOfClusters(clusters);
    expect(endpointRows(endpoints)).toEqual([
      ["10.0.0.1:80", "HEALTHY", "eu/a", "a"],
      ["10.0.0.1:80", "UNHEALTHY", "eu/a", "b"],
      ["10.0.0.1:81", "DRAINING", "eu/a", "a"],
    ]);
    expect(filterEndpoints(endpoints, { status: "unhealthy" }).map(({ cluster }) => cluster)).toEqual(["b"]);
    expect(filterEndpoints(endpoints, { port: 81 })).toHaveLength(1);
  });

  it("of a saved dump have internal and Unix addresses in their own forms", () => {
    const endpoint = (address: object) => ({ endpoint: { address } });
    const lb_endpoints = [
      endpoint({ pipe: { path: "/run/app" } }),
      endpoint({ envoy_internal_address: { server_listener_name: "connect_originate", endpoint_id: "10.0.0.1:80" } }),
    ];
    const rows = endpointRows(endpointsOfDump([{ cluster_name: "c", endpoints: [{ lb_endpoints }] }]));
    expect(rows.map(([name]) => name)).toEqual(["envoy://connect_originate/10.0.0.1:80", "unix:///run/app"]);
  });
});

describe("a comparison of control plane and proxy", () => {
  const own = (connect_timeout: string) =>
    new ConfigDump({
      configs: [
        {
          "@type": `${ADMIN}ClustersConfigDump`,
          static_clusters: [{ cluster: { name: "agent" } }],
          dynamic_active_clusters: [
            { cluster: { "@type": "t", name: "c", connect_timeout } },
            { cluster: { "@type": "t", name: "old" } },
          ],
        },
      ],
    });
  const sent = {
    configs: [
      {
        typeUrl: "envoy.config.cluster.v3.Cluster",
        resources: [{ resource: { name: "c", connect_timeout: "1s" } }, { resource: { name: "new" } }],
      },
    ],
  };

  it("names what only one of them has, and the smallest part that differs", () => {
    expect(compareConfiguration(sent, own("5s"))).toEqual([
      { kind: "Clusters", differences: ['- c.connect_timeout: "1s"', '+ c.connect_timeout: "5s"', "- new", "+ old"] },
      { kind: "Listeners", differences: [] },
      { kind: "Endpoints", differences: [] },
      { kind: "Routes", differences: [] },
    ]);
  });
});

describe("a table", () => {
  it("pads each column with spaces to its widest cell, and nothing behind the last", () => {
    expect(
      renderTable(
        ["A", "LONG"],
        [
          ["wide cell", "x"],
          ["", ""],
        ],
        2,
      ),
    ).toBe("A          LONG\nwide cell  x\n\n");
  });
});
