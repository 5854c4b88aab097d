// What an egress host list brings in (§7.9).
import { hostCovers, hostsMatch } from "../config/host-name.ts";
import type { Service, ServicePort } from "./service.ts";
import type { ResolvedVirtualService } from "./virtual-service.ts";
import { isVisibleTo } from "./visibility.ts";

export interface ImportedHost {
  /** A namespace, `*` for any; `~` was left out. */
  readonly namespace: string;
  readonly host: string;
}

/** `namespace/dns` entries of an egress listener of a workload in `namespace`. */
export function parseImports(hosts: readonly string[], namespace: string): ImportedHost[] {
  return hosts.flatMap((text) => {
    const slash = text.indexOf("/");
    const owner = text.slice(0, slash);
    if (owner === "~") return [];
    return [{ namespace: owner === "." ? namespace : owner, host: text.slice(slash + 1).toLowerCase() }];
  });
}

/** Services that the imports name, one per host name: the own namespace, then Kubernetes, then the oldest. */
export function importServices(
  services: readonly Service[],
  imports: readonly ImportedHost[],
  namespace: string,
): Service[] {
  const byHostname = new Map<string, Service>();
  for (const service of services) {
    if (!isVisibleTo(service.visibility, namespace)) continue;
    const wanted = imports.some(
      (entry) =>
        (entry.namespace === "*" || entry.namespace === service.namespace) && hostCovers(entry.host, service.hostname),
    );
    if (!wanted) continue;
    const other = byHostname.get(service.hostname);
    if (other === undefined || isPreferred(service, other, namespace)) byHostname.set(service.hostname, service);
  }
  // In the order of the list, which is that of age.
  return services.filter((service) => byHostname.get(service.hostname) === service);
}

/** Whether `service` displaces an older one of its host name. */
function isPreferred(service: Service, other: Service, namespace: string): boolean {
  if (other.namespace === namespace) return false;
  if (service.namespace === namespace) return true;
  return service.registry === "kubernetes" && other.registry !== "kubernetes";
}

/** Mesh VirtualServices with a host that an import names. */
export function importVirtualServices(
  virtualServices: readonly ResolvedVirtualService[],
  imports: readonly ImportedHost[],
  namespace: string,
): ResolvedVirtualService[] {
  return virtualServices.filter(
    (virtual) =>
      virtual.gateways.includes("mesh") &&
      isVisibleTo(virtual.visibility, namespace) &&
      imports.some(
        (entry) =>
          (entry.namespace === "*" || entry.namespace === virtual.namespace) &&
          virtual.hosts.some((host) => hostsMatch(entry.host, host)),
      ),
  );
}

/** The service with some of its ports only; undefined when none of them is left. */
export function withPorts(service: Service, wanted: (port: ServicePort) => boolean): Service | undefined {
  const ports = service.ports.filter(wanted);
  if (ports.length === service.ports.length) return service;
  return ports.length === 0 ? undefined : Object.freeze({ ...service, ports: Object.freeze(ports) });
}

/** Where the routes of a VirtualService lead: hosts with the ports they name, `undefined` for whatever fits. */
export function destinationsOf(virtual: ResolvedVirtualService): ReadonlyMap<string, ReadonlySet<number | undefined>> {
  const found = new Map<string, Set<number | undefined>>();
  const add = ({ destination }: { readonly destination: { readonly host: string; readonly port?: number } }) => {
    const ports = found.get(destination.host) ?? new Set();
    found.set(destination.host, ports.add(destination.port));
  };
  for (const route of virtual.http) {
    route.route.forEach(add);
    route.mirrors.forEach(add);
  }
  for (const route of [...virtual.tls, ...virtual.tcp]) route.route.forEach(add);
  return found;
}
