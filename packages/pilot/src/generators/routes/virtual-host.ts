import { create } from "@bufbuild/protobuf";
import {
  type Route,
  type VirtualHost,
  VirtualHostSchema,
} from "@mixerless/wire/envoy/config/route/v3/route_components";

/**
 * Virtual hosts of one route configuration. A domain belongs to whoever claims it first, whatever the
 * case of its letters; a host that is left without a domain is left out.
 */
export class VirtualHosts {
  readonly #taken: Set<string>;
  readonly #hosts: VirtualHost[] = [];

  /** `reserved` are names that nobody's short form may take: the full names of all services. */
  constructor(reserved: Iterable<string> = []) {
    this.#reserved = new Set(reserved);
    this.#taken = new Set();
  }
  readonly #reserved: ReadonlySet<string>;

  /** `own` is the full name that may be claimed although it is reserved. */
  add(name: string, own: string, domains: readonly string[], routes: readonly Route[]): void {
    const free = domains.filter((domain) => this.#claim(domain.toLowerCase(), own.toLowerCase()));
    if (free.length === 0) return;
    this.#hosts.push(
      create(VirtualHostSchema, { name, domains: free, routes: [...routes], includeRequestAttemptCount: true }),
    );
  }

  /** Sorted by name, so that equal configurations give equal bytes. */
  get sorted(): VirtualHost[] {
    return [...this.#hosts].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  #claim(domain: string, own: string): boolean {
    if (this.#taken.has(domain) || (this.#reserved.has(domain) && domain !== own)) return false;
    this.#taken.add(domain);
    return true;
  }
}
