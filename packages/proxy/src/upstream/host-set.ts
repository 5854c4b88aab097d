import { type EndpointConfig, UpstreamHost } from "./upstream-host.ts";

/** Hosts of one priority, best locality weights applied by the load balancer. */
export interface PriorityLevel {
  readonly priority: number;
  readonly hosts: readonly UpstreamHost[];
}

/** What an update did, so that owners of per-host state can follow. */
export interface HostChange {
  readonly added: readonly UpstreamHost[];
  readonly removed: readonly UpstreamHost[];
}

/**
 * The endpoints of one cluster. An update keeps the host object of every address that stays, and with
 * it the totals, the health and the open connections: moving an endpoint to another weight, priority
 * or locality loses nothing.
 */
export class HostSet {
  #byAddress = new Map<string, UpstreamHost>();
  #levels: readonly PriorityLevel[] = [];
  /** Changes whenever membership, weights or health may have; load balancers rebuild on it. */
  #generation = 0;
  #overprovisioning = 1.4;

  get generation(): number {
    return this.#generation;
  }
  get levels(): readonly PriorityLevel[] {
    return this.#levels;
  }
  /** A level or locality counts as fully healthy until fewer than one in this many of its hosts are. */
  get overprovisioning(): number {
    return this.#overprovisioning;
  }
  get hosts(): IterableIterator<UpstreamHost> {
    return this.#byAddress.values();
  }
  get size(): number {
    return this.#byAddress.size;
  }

  /** `now`: `Clock.monotonic()`, from which new hosts count their age. */
  update(endpoints: readonly EndpointConfig[], now = 0, overprovisioning = 1.4): HostChange {
    this.#overprovisioning = overprovisioning;
    const next = new Map<string, UpstreamHost>();
    const added: UpstreamHost[] = [];
    for (const endpoint of endpoints) {
      const key = endpoint.address.text;
      if (next.has(key)) continue;
      let host = this.#byAddress.get(key);
      if (host === undefined) {
        host = new UpstreamHost(endpoint, now);
        added.push(host);
      } else {
        host.replaceConfig(endpoint);
      }
      next.set(key, host);
    }
    const removed = [...this.#byAddress].filter(([key]) => !next.has(key)).map(([, host]) => host);
    this.#byAddress = next;
    this.#levels = groupByPriority(next.values());
    this.#generation++;
    return { added, removed };
  }

  /** To be called after a host's `ejected` was changed. */
  healthChanged(): void {
    this.#generation++;
  }
}

function groupByPriority(hosts: Iterable<UpstreamHost>): PriorityLevel[] {
  const levels = new Map<number, UpstreamHost[]>();
  for (const host of hosts) {
    const level = levels.get(host.priority);
    if (level === undefined) levels.set(host.priority, [host]);
    else level.push(host);
  }
  return [...levels].sort(([a], [b]) => a - b).map(([priority, members]) => ({ priority, hosts: members }));
}
