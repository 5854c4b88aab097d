import type { ConfigFault } from "../../network/config-fault.ts";

interface Wildcard<T> {
  readonly text: string;
  readonly value: T;
}

/**
 * Finds what belongs to a host name: exact domains by one look-up, then `*.suffix` and then `prefix.*` with the
 * longest first, then `*`. Case does not matter.
 */
export class DomainTable<T> {
  readonly #exact = new Map<string, T>();
  readonly #suffixes: Wildcard<T>[] = [];
  readonly #prefixes: Wildcard<T>[] = [];
  #any: T | null = null;

  /** False when the domain is taken already. */
  add(domain: string, value: T): boolean {
    const text = domain.toLowerCase();
    if (text === "*") {
      if (this.#any !== null) return false;
      this.#any = value;
      return true;
    }
    if (text.startsWith("*")) return insert(this.#suffixes, text.slice(1), value);
    if (text.endsWith("*")) return insert(this.#prefixes, text.slice(0, -1), value);
    if (this.#exact.has(text)) return false;
    this.#exact.set(text, value);
    return true;
  }

  find(host: string): T | null {
    if (this.#exact.size === 0 && this.#suffixes.length === 0 && this.#prefixes.length === 0) return this.#any;
    const text = host.toLowerCase();
    const exact = this.#exact.get(text);
    if (exact !== undefined) return exact;
    for (const { text: end, value } of this.#suffixes) if (text.length > end.length && text.endsWith(end)) return value;
    for (const { text: start, value } of this.#prefixes)
      if (text.length > start.length && text.startsWith(start)) return value;
    return this.#any;
  }
}

function insert<T>(list: Wildcard<T>[], text: string, value: T): boolean {
  if (list.some((one) => one.text === text)) return false;
  const at = list.findIndex((one) => one.text.length < text.length);
  list.splice(at < 0 ? list.length : at, 0, { text, value });
  return true;
}

/** Adds every domain of a virtual host; Envoy refuses a configuration that names one twice. */
export function addDomains<T>(
  table: DomainTable<T>,
  domains: readonly string[],
  value: T,
  path: string,
  faults: ConfigFault[],
): void {
  if (domains.length === 0) faults.push({ path, message: "at least one domain is needed" });
  for (const [i, domain] of domains.entries()) {
    if (!table.add(domain, value))
      faults.push({ path: `${path}[${i}]`, message: `the domain ${domain} is there twice` });
  }
}

/** A host without its port; `[::1]:80` gives `[::1]`. */
export function hostWithoutPort(host: string): string {
  const at = host.lastIndexOf(":");
  if (at < 0 || host.charCodeAt(host.length - 1) === 93 /* ] */) return host;
  // An IPv6 address without brackets has no port.
  return host.indexOf(":") === at || host.charCodeAt(at - 1) === 93 ? host.slice(0, at) : host;
}
