import { isIP } from "node:net";

/** How short names of one namespace become full ones. */
export interface NameScope {
  readonly namespace: string;
  /** `cluster.local`. */
  readonly clusterDomain: string;
}

/** A host as written, in full and in lower case: names without a dot are services of the namespace (§7.1). */
export function resolveHost(host: string, { namespace, clusterDomain }: NameScope): string {
  const name = host.toLowerCase();
  if (name === "" || name.includes(".") || name.startsWith("*") || isIP(name) !== 0) return name;
  return serviceHostname(name, namespace, clusterDomain);
}

export function serviceHostname(name: string, namespace: string, clusterDomain: string): string {
  return `${name}.${namespace}.svc.${clusterDomain}`.toLowerCase();
}

/** `mesh`, or `namespace/name` of whatever spelling names a gateway. */
export function resolveGatewayName(gateway: string, namespace: string): string {
  if (gateway === "mesh") return gateway;
  const [first = "", second] = gateway.split("/");
  if (second !== undefined) return `${first === "." ? namespace : first}/${second}`;
  // The form of old releases: name.namespace.svc.cluster.local.
  const [name = "", owner] = first.split(".");
  return `${owner ?? namespace}/${name}`;
}
