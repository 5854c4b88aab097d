import { at, listAt, textAt } from "./json.ts";

export const ENDPOINT_HEADER = ["NAME", "STATUS", "LOCALITY", "CLUSTER"];

export interface EndpointRow {
  readonly address: string;
  readonly port: string;
  readonly status: string;
  readonly locality: string;
  readonly cluster: string;
}

export interface EndpointFilter {
  readonly cluster?: string;
  readonly port?: number;
  readonly address?: string;
  readonly status?: string;
}

/** Hosts as the proxy sees them: its `/clusters?format=json`. */
export function endpointsOfClusters(clusters: unknown): EndpointRow[] {
  return listAt(clusters, "cluster_statuses").flatMap((cluster) =>
    listAt(cluster, "host_statuses").map((host) => {
      const ejected = at(host, "health_status", "failed_outlier_check") === true;
      return {
        ...place(at(host, "address")),
        status: ejected ? "UNHEALTHY" : textAt(host, "health_status", "eds_health_status") || "HEALTHY",
        locality: locality(at(host, "locality")),
        cluster: textAt(cluster, "name"),
      };
    }),
  );
}

/** Endpoints as a configuration dump has them, which knows nothing of ejections. */
export function endpointsOfDump(assignments: readonly unknown[]): EndpointRow[] {
  return assignments.flatMap((assignment) =>
    listAt(assignment, "endpoints").flatMap((group) =>
      listAt(group, "lb_endpoints").map((entry) => ({
        ...place(at(entry, "endpoint", "address")),
        status: textAt(entry, "health_status") || "HEALTHY",
        locality: locality(at(group, "locality")),
        cluster: textAt(assignment, "cluster_name"),
      })),
    ),
  );
}

export function filterEndpoints(endpoints: readonly EndpointRow[], filter: EndpointFilter): EndpointRow[] {
  return endpoints.filter(
    ({ cluster, port, address, status }) =>
      (filter.cluster === undefined || cluster === filter.cluster) &&
      (filter.port === undefined || port === String(filter.port)) &&
      (filter.address === undefined || address === filter.address) &&
      (filter.status === undefined || status.toLowerCase() === filter.status.toLowerCase()),
  );
}

export function endpointRows(endpoints: readonly EndpointRow[]): string[][] {
  return endpoints
    .map(({ address, port, status, locality: where, cluster }) => [
      port === "" ? address : `${address}:${port}`,
      status,
      where,
      cluster,
    ])
    .sort(([a = "", , , c = ""], [b = "", , , d = ""]) => (a === b ? (c < d ? -1 : 1) : a < b ? -1 : 1));
}

function place(address: unknown): { address: string; port: string } {
  const pipe = textAt(address, "pipe", "path");
  if (pipe !== "") return { address: `unix://${pipe}`, port: "" };
  const internal = textAt(address, "envoy_internal_address", "server_listener_name");
  if (internal !== "")
    return {
      address: `envoy://${internal}/${textAt(address, "envoy_internal_address", "endpoint_id")}`.replace(/\/$/, ""),
      port: "",
    };
  const socket = at(address, "socket_address");
  return { address: textAt(socket, "address"), port: textAt(socket, "port_value") };
}

function locality(where: unknown): string {
  return ["region", "zone", "sub_zone"]
    .map((part) => textAt(where, part))
    .join("/")
    .replace(/\/+$/, "");
}
