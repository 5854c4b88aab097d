import { isIP, isIPv6 } from "node:net";
import type { Service } from "../../model/service.ts";

/**
 * The names by which a client in `proxyDomain` (such as `default.svc.cluster.local`) may call a host:
 * the full name, with a trailing dot, and what is left after a shared suffix [control-plane §4.4].
 */
export function domainsOf(hostname: string, proxyDomain: string): string[] {
  if (isIP(hostname) !== 0) return [bracketed(hostname)];
  return [hostname, `${hostname}.`, ...alternates(hostname, proxyDomain)];
}

/** Domains of a service: its names and its virtual addresses of the families that the proxy has; a headless one also each of its pods by name. */
export function serviceDomains(
  service: Service,
  proxyDomain: string,
  proxyAddresses: readonly string[] = [],
): string[] {
  const names = domainsOf(service.hostname, proxyDomain);
  const pods = service.headless ? names.map((name) => `*.${name}`) : [];
  const addresses = service.addresses
    .filter((address) => isIP(address) !== 0 && hasFamily(proxyAddresses, isIP(address)))
    .map(bracketed);
  return [...names, ...pods, ...addresses];
}

/** A proxy that does not tell its addresses has all families. */
function hasFamily(addresses: readonly string[], family: number): boolean {
  return addresses.length === 0 || addresses.some((address) => isIP(address) === family);
}

function alternates(hostname: string, proxyDomain: string): string[] {
  const kubernetes = /^([^.]+)\.([^.]+)\.svc\.(.+)$/.exec(hostname);
  const proxy = /^([^.]+)\.svc\.(.+)$/.exec(proxyDomain);
  const [, name, namespace, domain] = kubernetes ?? [];
  if (name !== undefined && namespace !== undefined && proxy?.[2] === domain) {
    if (proxy?.[1] === namespace) return [name, `${name}.${namespace}.svc`, `${name}.${namespace}`];
    return [`${name}.${namespace}`, `${name}.${namespace}.svc`];
  }
  if (proxyDomain.includes(".svc.")) return [];
  return genericAlternates(hostname, proxyDomain);
}

/** Outside Kubernetes: the host without the labels that it shares with the domain at the end, and the longer forms. */
function genericAlternates(hostname: string, proxyDomain: string): string[] {
  const host = hostname.split(".");
  const domain = proxyDomain.split(".");
  let shared = 0;
  while (shared < domain.length && shared < host.length - 1 && host.at(-1 - shared) === domain.at(-1 - shared))
    shared++;
  if (shared === 0) return [];
  const unique = host.slice(0, host.length - shared);
  const left = domain.slice(0, domain.length - shared);
  if (left.length === 0) return [unique.join(".")];
  return [
    unique.join("."),
    ...Array.from({ length: shared - 1 }, (_, i) =>
      [...unique, ...host.slice(host.length - shared, host.length - shared + i + 1)].join("."),
    ),
  ];
}

function bracketed(ip: string): string {
  return isIPv6(ip) ? `[${ip}]` : ip;
}
