import type { FailureCase } from "./failure-case.ts";

/** One listener, cluster and access log line for each case. */
export interface PlacedCase {
  readonly entry: FailureCase;
  readonly listener: number;
  /** Port of the upstream, if there is one. */
  readonly upstream: number | undefined;
}

const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.${name}`;

/** Where listeners and admin are, and where they log. */
export interface Places {
  readonly ip: string;
  readonly admin: number;
  readonly logFile: string;
}

export function failureBootstrap(cases: readonly PlacedCase[], places: Places): object {
  return {
    node: { id: "failures", cluster: "failures" },
    admin: { address: address(places.admin) },
    static_resources: {
      listeners: cases.map((placed) => listener(placed, places)),
      clusters: cases.map(cluster),
    },
  };
}

function listener({ entry, listener: port }: PlacedCase, { ip, logFile }: Places): object {
  if (entry.tcp !== undefined) {
    const proxy = {
      "@type": type("network.tcp_proxy.v3.TcpProxy"),
      stat_prefix: "failures",
      cluster: entry.name,
      access_log: accessLog(port, logFile),
      ...entry.tcp,
    };
    return {
      name: entry.name,
      address: address(port, ip),
      filter_chains: [chain("envoy.filters.network.tcp_proxy", proxy)],
    };
  }
  const manager = {
    "@type": type("network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "failures",
    delayed_close_timeout: "0.05s",
    route_config: {
      name: "local_route",
      validate_clusters: false,
      virtual_hosts: [{ name: "all", domains: ["*"], routes: entry.route === null ? [] : [route(entry)] }],
    },
    http_filters: [filter("fault", "fault.v3.HTTPFault"), filter("router", "router.v3.Router")],
    access_log: accessLog(port, logFile),
    ...entry.manager,
  };
  const chains = [chain("envoy.filters.network.http_connection_manager", manager)];
  return { name: entry.name, address: address(port, ip), filter_chains: chains };
}

function chain(name: string, config: object): object {
  return { filters: [{ name, typed_config: config }] };
}

function accessLog(port: number, path: string): object[] {
  const line = `${port} %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n`;
  return [
    {
      name: "envoy.access_loggers.file",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        path,
        log_format: { text_format_source: { inline_string: line } },
      },
    },
  ];
}

function route({ name, action, route: fields }: FailureCase): object {
  const forwards = fields === undefined || fields === null || "typed_per_filter_config" in fields;
  return {
    match: { prefix: "" },
    ...(forwards ? { route: { cluster: name, timeout: "0s", ...action } } : {}),
    ...fields,
  };
}

function cluster({ entry, upstream }: PlacedCase): object {
  const endpoints = upstream === undefined ? [] : [{ lb_endpoints: [{ endpoint: { address: address(upstream) } }] }];
  return {
    name: entry.name,
    type: "STATIC",
    connect_timeout: "5s",
    load_assignment: { cluster_name: entry.name, endpoints },
    ...entry.cluster,
  };
}

function filter(name: string, message: string): object {
  return { name: `envoy.filters.http.${name}`, typed_config: { "@type": type(`http.${message}`) } };
}

function address(port: number, ip = "127.0.0.1"): object {
  return { socket_address: { address: ip, port_value: port } };
}
