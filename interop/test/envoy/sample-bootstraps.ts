/** Addresses that a sample needs. */
export interface SampleAddresses {
  readonly listener: number;
  readonly admin: number;
  /** Two origins, which answer with `blue <path>` and `green <path>`. */
  readonly blue: number;
  readonly green: number;
}

interface Request {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A static configuration in the style of Envoy's own examples, and what is asked of it. */
export interface Sample {
  readonly name: string;
  readonly routes: readonly object[];
  readonly requests: readonly Request[];
}

/** One listener, routes, two clusters: what most examples of Envoy come down to. */
export function sampleBootstrap({ routes }: Sample, ports: SampleAddresses): object {
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "ingress_http",
    route_config: { name: "local_route", virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
    http_filters: [
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  const chain = { filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] };
  return {
    node: { id: "sample", cluster: "samples" },
    admin: { address: address(ports.admin) },
    static_resources: {
      listeners: [{ name: "ingress", address: address(ports.listener), filter_chains: [chain] }],
      clusters: [cluster("blue", ports.blue), cluster("green", ports.green)],
    },
  };
}

function address(port: number): object {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

function cluster(name: string, port: number): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }];
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    lb_policy: "ROUND_ROBIN",
    load_assignment: { cluster_name: name, endpoints },
  };
}

export const SAMPLES: readonly Sample[] = [
  {
    name: "front proxy",
    routes: [
      { match: { prefix: "/service/1" }, route: { cluster: "blue" } },
      { match: { prefix: "/service/2" }, route: { cluster: "green", prefix_rewrite: "/two" } },
    ],
    requests: [{ path: "/service/1" }, { path: "/service/1/x?q=1" }, { path: "/service/2/y" }, { path: "/other" }],
  },
  {
    name: "direct answers and redirects",
    routes: [
      { match: { path: "/hello" }, direct_response: { status: 200, body: { inline_string: "hello" } } },
      { match: { path: "/gone" }, direct_response: { status: 410 } },
      { match: { prefix: "/old" }, redirect: { prefix_rewrite: "/new", response_code: "FOUND" } },
      { match: { path: "/secure" }, redirect: { https_redirect: true } },
      { match: { prefix: "/" }, route: { cluster: "blue" } },
    ],
    requests: ["/hello", "/gone", "/old/page?a=b", "/secure", "/hello/", "/"].map((path) => ({ path })),
  },
  {
    name: "matches by header, query, method and pattern",
    routes: [
      {
        match: { prefix: "/", headers: [{ name: "x-color", string_match: { exact: "green" } }] },
        route: { cluster: "green" },
      },
      {
        match: { prefix: "/", query_parameters: [{ name: "color", string_match: { exact: "green" } }] },
        route: { cluster: "green" },
      },
      {
        match: { prefix: "/", headers: [{ name: ":method", string_match: { exact: "DELETE" } }] },
        direct_response: { status: 405 },
      },
      {
        match: { safe_regex: { regex: "/item/[0-9]+" } },
        route: { cluster: "green", regex_rewrite: { pattern: { regex: "^/item/([0-9]+)$" }, substitution: "/i/\\1" } },
      },
      { match: { path_separated_prefix: "/api" }, route: { cluster: "blue", host_rewrite_literal: "api.test" } },
    ],
    requests: [
      { path: "/a", headers: { "x-color": "green" } },
      { path: "/a?color=green" },
      { path: "/a", method: "DELETE" },
      { path: "/item/12" },
      { path: "/item/12x" },
      { path: "/api/v1" },
      { path: "/apis" },
    ],
  },
  {
    name: "header changes",
    routes: [
      {
        match: { prefix: "/" },
        route: { cluster: "blue", timeout: "2s", retry_policy: { retry_on: "5xx", num_retries: 1 } },
        request_headers_to_add: [{ header: { key: "x-path", value: "%REQ(:PATH)%" } }],
        response_headers_to_add: [{ header: { key: "x-served", value: "yes" } }],
        response_headers_to_remove: ["x-secret"],
      },
    ],
    requests: [{ path: "/a" }, { path: "/b", method: "POST" }],
  },
];
