import type { Clock, Timer } from "@mixerless/clock";
import { socketAddress } from "../transport/socket-address.ts";
import type { Discovery, NamedEndpoint } from "./cluster-config.ts";
import type { DnsResolver } from "./dns-resolver.ts";
import type { Random } from "./load-balancer/load-balancer.ts";
import type { EndpointConfig } from "./upstream-host.ts";

type DnsDiscoveryConfig = Extract<Discovery, { kind: "strict-dns" | "logical-dns" }>;

export interface DnsDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolve: DnsResolver;
}

export interface DnsDiscoveryCallbacks {
  /** After each look-up, from the moment on when all names were asked for once, whether or not they were found. */
  onHosts(endpoints: readonly EndpointConfig[]): void;
  onOutcome(success: boolean): void;
}

interface Name {
  readonly text: string;
  addresses: readonly string[];
  asked: boolean;
  /** Look-ups that have failed in a row. */
  failures: number;
  timer: Timer | null;
}

/**
 * Resolves the names of a cluster's endpoints again and again, each by itself and never twice at once. A failed
 * look-up keeps what was found before.
 */
export class DnsDiscovery {
  readonly #config: DnsDiscoveryConfig;
  readonly #dependencies: DnsDependencies;
  readonly #callbacks: DnsDiscoveryCallbacks;
  readonly #names = new Map<string, Name>();
  #closed = false;

  constructor(config: DnsDiscoveryConfig, dependencies: DnsDependencies, callbacks: DnsDiscoveryCallbacks) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.#callbacks = callbacks;
    for (const { name: text } of config.endpoints) {
      this.#names.set(text, { text, addresses: [], asked: false, failures: 0, timer: null });
    }
    for (const name of this.#names.values()) void this.#lookUp(name);
    if (this.#names.size === 0) queueMicrotask(() => this.#tellHosts());
  }

  close(): void {
    this.#closed = true;
    for (const name of this.#names.values()) name.timer?.cancel();
  }

  async #lookUp(name: Name): Promise<void> {
    const { family, respectTtl } = this.#config;
    let ttl: number | null = null;
    let success = true;
    try {
      const answer = await this.#dependencies.resolve(name.text, family, respectTtl);
      name.addresses = answer.addresses;
      ttl = answer.ttl;
      name.failures = 0;
    } catch {
      success = false;
      name.failures++;
    }
    if (this.#closed) return;
    name.asked = true;
    name.timer = this.#dependencies.clock.after(this.#delay(name, ttl), () => void this.#lookUp(name));
    this.#callbacks.onOutcome(success);
    this.#tellHosts();
  }

  #tellHosts(): void {
    if (this.#closed) return;
    for (const { asked } of this.#names.values()) if (!asked) return;
    this.#callbacks.onHosts(this.#endpoints());
  }

  /** Milliseconds until the next look-up. A lifetime of 0 would ask without end: the rate counts then, as in Envoy. */
  #delay(name: Name, ttl: number | null): number {
    const { refreshRate, respectTtl, failureRefresh } = this.#config;
    if (name.failures > 0 && failureRefresh !== null) {
      const interval = Math.min(failureRefresh.base * 2 ** Math.min(name.failures - 1, 30), failureRefresh.maximum);
      // Half of it by chance: many proxies must not come back to a name server all at once.
      return interval * (0.5 + this.#dependencies.random() / 2);
    }
    return respectTtl && ttl !== null && ttl > 0 ? ttl : refreshRate;
  }

  #endpoints(): EndpointConfig[] {
    return this.#config.endpoints.flatMap((endpoint) => this.#hostsOf(endpoint));
  }

  #hostsOf(endpoint: NamedEndpoint): EndpointConfig[] {
    const { name, port, ...rest } = endpoint;
    const addresses = this.#names.get(name)?.addresses ?? [];
    // A logical cluster is one host behind a name, whichever address it has today.
    const used = this.#config.kind === "logical-dns" ? addresses.slice(0, 1) : addresses;
    return used.map((ip) => ({ ...rest, hostname: name, address: socketAddress(ip, port) }));
  }
}
