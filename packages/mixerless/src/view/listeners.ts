import { chainsOf } from "./config-dump.ts";
import { at, listAt, textAt } from "./json.ts";
import { routeMatch } from "./routes.ts";

export const LISTENER_HEADER = ["ADDRESSES", "PORT", "MATCH", "DESTINATION"];

export interface ListenerFilter {
  readonly port?: number;
  readonly address?: string;
  readonly type?: string;
}

export function filterListeners(listeners: readonly unknown[], filter: ListenerFilter): unknown[] {
  return listeners.filter((listener) => {
    const { address, port } = socket(listener);
    return (
      (filter.port === undefined || port === String(filter.port)) &&
      (filter.address === undefined || address.toLowerCase() === filter.address.toLowerCase()) &&
      (filter.type === undefined || listenerType(listener) === filter.type.toUpperCase())
    );
  });
}

/** One row for each filter chain, by port and address. */
export function listenerRows(listeners: readonly unknown[]): string[][] {
  return sorted(listeners).flatMap((listener) => {
    const { address, port } = socket(listener);
    return chainsOf(listener).map((chain) => [
      address,
      port,
      chainMatch(at(chain, "filter_chain_match")),
      destination(chain),
    ]);
  });
}

/** What a listener speaks, for `--type`. */
export function listenerType(listener: unknown): string {
  const names = chainsOf(listener).flatMap((chain) => listAt(chain, "filters").map((filter) => textAt(filter, "name")));
  const http = names.some((name) => name.endsWith("http_connection_manager"));
  const tcp = names.some((name) => name.endsWith("tcp_proxy"));
  return http && tcp ? "HTTP+TCP" : http ? "HTTP" : tcp ? "TCP" : "UNKNOWN";
}

function sorted(listeners: readonly unknown[]): unknown[] {
  return [...listeners].sort((one, other) => {
    const a = socket(one);
    const b = socket(other);
    return Number(a.port) - Number(b.port) || (a.address < b.address ? -1 : a.address > b.address ? 1 : 0);
  });
}

function socket(listener: unknown): { address: string; port: string } {
  const address = at(listener, "address", "socket_address");
  if (address === undefined) return { address: textAt(listener, "address", "pipe", "path"), port: "0" };
  return { address: textAt(address, "address"), port: textAt(address, "port_value") || "0" };
}

const APPLICATIONS: Readonly<Record<string, string>> = {
  "istio-http/1.0,istio-http/1.1,istio-h2": "App: HTTP TLS",
  "istio-peer-exchange,istio": "App: TCP TLS",
  "istio,istio-http/1.0,istio-http/1.1,istio-h2": "App: Istio HTTP Plain",
  "http/1.1,h2c": "App: HTTP",
  "http/1.0,http/1.1,h2c": "App: HTTP",
};

/** [control-plane §10.3]. */
function chainMatch(match: unknown): string {
  const parts: string[] = [];
  const names = listAt(match, "server_names").map(String);
  if (names.length > 0) parts.push(`SNI: ${names.join(",")}`);
  const transport = textAt(match, "transport_protocol");
  if (transport !== "") parts.push(`Trans: ${transport}`);
  const applications = listAt(match, "application_protocols").map(String).join(",");
  if (applications !== "") parts.push(APPLICATIONS[applications] ?? `App: ${applications}`);
  const port = textAt(match, "destination_port");
  const suffix = port === "" ? "" : `:${port}`;
  for (const range of listAt(match, "prefix_ranges"))
    parts.push(`Addr: ${textAt(range, "address_prefix")}/${textAt(range, "prefix_len") || "0"}${suffix}`);
  if (suffix !== "" && listAt(match, "prefix_ranges").length === 0) parts.push(`Addr: *${suffix}`);
  return parts.length === 0 ? "ALL" : parts.join("; ");
}

function destination(chain: unknown): string {
  for (const filter of listAt(chain, "filters")) {
    const name = textAt(filter, "name");
    const config = at(filter, "typed_config");
    if (name.endsWith("http_connection_manager")) return httpDestination(config);
    if (name.endsWith("tcp_proxy")) return tcpDestination(config);
  }
  return "Non-HTTP/Non-TCP";
}

function httpDestination(config: unknown): string {
  const named = textAt(config, "rds", "route_config_name");
  if (named !== "") return `Route: ${named}`;
  const hosts = listAt(config, "route_config", "virtual_hosts");
  const routes = hosts.flatMap((host) => listAt(host, "routes"));
  const cluster = textAt(routes[0], "route", "cluster");
  if (routes.length === 1 && cluster !== "" && routeMatch(routes[0]) === "/*") return clusterText(cluster);
  const texts = hosts.map((host) => {
    const matches = listAt(host, "routes").map(routeMatch).join(", ");
    return `${listAt(host, "domains").map(String).join(", ")} ${matches}`;
  });
  return `Inline Route: ${texts.join("; ")}`;
}

function tcpDestination(config: unknown): string {
  const cluster = textAt(config, "cluster");
  if (cluster === "BlackHoleCluster") return "Non-HTTP/Non-TCP";
  if (cluster !== "") return clusterText(cluster);
  const weighted = listAt(config, "weighted_clusters", "clusters").map((entry) => textAt(entry, "name"));
  return weighted.map(clusterText).join(", ");
}

function clusterText(cluster: string): string {
  return cluster.includes("Cluster") ? cluster : `Cluster: ${cluster}`;
}
