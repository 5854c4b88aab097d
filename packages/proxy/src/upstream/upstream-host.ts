import type { SocketAddress } from "../transport/transport.ts";
import type { Host } from "./host.ts";

/** What configuration says of an endpoint. Two endpoints of one cluster with one address are one host. */
export interface EndpointConfig {
  readonly address: SocketAddress;
  readonly hostname: string;
  readonly weight: number;
  readonly priority: number;
  readonly locality: Locality;
  readonly localityWeight: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** False when the control plane says UNHEALTHY, DRAINING or TIMEOUT. */
  readonly serving: boolean;
}

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

export const NO_LOCALITY: Locality = { region: "", zone: "", subZone: "" };

/** Totals that `/clusters` shows for a host. */
export interface HostTotals {
  connections: number;
  connectFailures: number;
  activeConnections: number;
  requests: number;
  successes: number;
  errors: number;
  timeouts: number;
}

/** An endpoint that is in use: its configuration may be replaced, its health, totals and pool stay. */
export class UpstreamHost implements Host {
  #config: EndpointConfig;
  /** `Clock.monotonic()` when it came. */
  readonly added: number;
  activeRequests = 0;
  /** Set by outlier detection. */
  ejected = false;
  readonly totals: HostTotals = {
    connections: 0,
    connectFailures: 0,
    activeConnections: 0,
    requests: 0,
    successes: 0,
    errors: 0,
    timeouts: 0,
  };

  constructor(config: EndpointConfig, added = 0) {
    this.#config = config;
    this.added = added;
  }

  replaceConfig(config: EndpointConfig): void {
    this.#config = config;
  }

  get address(): SocketAddress {
    return this.#config.address;
  }
  get hostname(): string {
    return this.#config.hostname;
  }
  get weight(): number {
    return this.#config.weight;
  }
  get priority(): number {
    return this.#config.priority;
  }
  get locality(): Locality {
    return this.#config.locality;
  }
  get localityWeight(): number {
    return this.#config.localityWeight;
  }
  get metadata(): Readonly<Record<string, unknown>> {
    return this.#config.metadata;
  }
  get serving(): boolean {
    return this.#config.serving;
  }
  get healthy(): boolean {
    return this.#config.serving && !this.ejected;
  }
}
