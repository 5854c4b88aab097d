/** `outbound|<port>|<subset>|<host>` [control-plane §4.2]. */
export function outboundClusterName(host: string, port: number, subset = ""): string {
  return `outbound|${port}|${subset}|${host}`;
}

/** `inbound|<target port>||`. */
export function inboundClusterName(port: number): string {
  return `inbound|${port}||`;
}

/** The same as a server name: `outbound_.<port>_.<subset>_.<host>`. */
export function sniClusterName(host: string, port: number, subset = ""): string {
  return `outbound_.${port}_.${subset}_.${host}`;
}

export const PASSTHROUGH_CLUSTER = "PassthroughCluster";
export const BLACK_HOLE_CLUSTER = "BlackHoleCluster";

export interface ClusterNameParts {
  /** Empty for inbound clusters, which are of no one service. */
  readonly host: string;
  readonly port: number;
  readonly subset: string;
}

/** The parts of `outbound|…` and `inbound|…`; null for any other name. */
export function parseClusterName(name: string): ClusterNameParts | null {
  const [direction, port, subset, host, ...more] = name.split("|");
  if (direction !== "outbound" && direction !== "inbound") return null;
  if (port === undefined || subset === undefined || host === undefined || more.length > 0) return null;
  return { host, port: Number(port), subset };
}

/** The parts of an `outbound|…` name that say which service port it stands for; null for any other name. */
export function parseOutboundClusterName(name: string): ClusterNameParts | null {
  return name.startsWith("outbound|") ? parseClusterName(name) : null;
}
