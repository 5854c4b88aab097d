import type { Clock, Timer } from "@mixerless/clock";
import { socketAddress } from "../transport/socket-address.ts";
import type { Discovery, NamedEndpoint } from "./cluster-config.ts";
import type { DnsResolver } from "./dns-resolver.ts";
import type { EndpointConfig } from "./upstream-host.ts";

type DnsDiscoveryConfig = Extract<Discovery, { kind: "strict-dns" | "logical-dns" }>;

/** Resolves the names of a cluster's endpoints again and again. A failed look-up keeps what was found before. */
export class DnsDiscovery {
  readonly #config: DnsDiscoveryConfig;
  readonly #resolve: DnsResolver;
  readonly #onHosts: (endpoints: readonly EndpointConfig[]) => void;
  readonly #onOutcome: (success: boolean) => void;
  readonly #found = new Map<NamedEndpoint, readonly string[]>();
  readonly #timer: Timer;
  #closed = false;

  /** `onHosts` is called after every round in which all names were asked for, also when none was found. */
  constructor(
    config: DnsDiscoveryConfig,
    clock: Clock,
    resolve: DnsResolver,
    onHosts: (endpoints: readonly EndpointConfig[]) => void,
    onOutcome: (success: boolean) => void,
  ) {
    this.#config = config;
    this.#resolve = resolve;
    this.#onHosts = onHosts;
    this.#onOutcome = onOutcome;
    this.#timer = clock.every(config.refreshRate, () => void this.#round());
    void this.#round();
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  async #round(): Promise<void> {
    await Promise.all(this.#config.endpoints.map((endpoint) => this.#lookUp(endpoint)));
    if (!this.#closed) this.#onHosts(this.#endpoints());
  }

  async #lookUp(endpoint: NamedEndpoint): Promise<void> {
    try {
      const addresses = await this.#resolve(endpoint.name, this.#config.family);
      this.#found.set(endpoint, addresses);
      this.#onOutcome(true);
    } catch {
      this.#onOutcome(false);
    }
  }

  #endpoints(): EndpointConfig[] {
    const endpoints: EndpointConfig[] = [];
    for (const endpoint of this.#config.endpoints) {
      const addresses = this.#found.get(endpoint) ?? [];
      // A logical cluster is one host behind a name, whichever address it has today.
      const used = this.#config.kind === "logical-dns" ? addresses.slice(0, 1) : addresses;
      for (const ip of used) {
        const { weight, priority, locality, localityWeight, metadata, serving } = endpoint;
        const address = socketAddress(ip, endpoint.port);
        endpoints.push({
          address,
          hostname: endpoint.name,
          weight,
          priority,
          locality,
          localityWeight,
          metadata,
          serving,
        });
      }
    }
    return endpoints;
  }
}
