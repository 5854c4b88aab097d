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

/** The two parts of an `outbound|…` name that say which service port it stands for; null for any other name. */
export function parseOutboundClusterName(name: string): { host: string; port: number; subset: string } | null {
  const parts = name.split("|");
  const [direction, port, subset, host] = parts;
  if (
    parts.length !== 4 ||
    direction !== "outbound" ||
    port === undefined ||
    subset === undefined ||
    host === undefined
  )
    return null;
  return { host, port: Number(port), subset };
}
