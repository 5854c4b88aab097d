import type { Clock, Timer } from "@mixerless/clock";
import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import { clusterNames } from "../http/routing/cluster-names.ts";
import type { RouteProvider } from "../http/routing/route-provider.ts";
import { compileRouteTable, type RouteTable } from "../http/routing/route-table.ts";
import type { ConfigFault } from "../network/config-fault.ts";

/** A table that names clusters whose endpoints are on their way. */
interface Waiting {
  readonly table: RouteTable;
  readonly clusters: ReadonlySet<string>;
  readonly limit: Timer;
}

/** The route tables that arrive apart from their listeners. */
export class RouteManager implements RouteProvider {
  readonly #clock: Clock;
  readonly #isWarming: (cluster: string) => boolean;
  readonly #patience: number;
  readonly #tables = new Map<string, RouteTable>();
  readonly #waiting = new Map<string, Waiting>();

  /**
   * `isWarming` tells of a cluster that is known but cannot serve yet; `patience` is how many milliseconds a
   * table waits for such.
   */
  constructor(clock: Clock, isWarming: (cluster: string) => boolean, patience: number) {
    this.#clock = clock;
    this.#patience = patience;
    this.#isWarming = isWarming;
  }

  get(name: string): RouteTable | null {
    return this.#tables.get(name) ?? null;
  }

  /**
   * Takes effect with the next request, or once the clusters that came with it are warm: the table before
   * serves meanwhile. With faults that one stays.
   */
  set(config: RouteConfiguration): readonly ConfigFault[] {
    const result = compileRouteTable(config, this.#clock);
    if (!result.ok) return result.faults;
    const { name } = config;
    this.#forget(name);
    const clusters = new Set(clusterNames(config));
    if (this.#tables.has(name) && this.#waits(clusters)) {
      const limit = this.#clock.after(this.#patience, () => this.#take(name, result.value));
      this.#waiting.set(name, { table: result.value, clusters, limit });
    } else {
      this.#take(name, result.value);
    }
    return [];
  }

  /** To be called when a cluster has become warm or is gone. */
  clustersChanged(): void {
    for (const [name, { table, clusters }] of [...this.#waiting]) if (!this.#waits(clusters)) this.#take(name, table);
  }

  remove(name: string): void {
    this.#forget(name);
    this.#tables.delete(name);
  }

  close(): void {
    for (const name of [...this.#waiting.keys()]) this.#forget(name);
  }

  #waits(clusters: ReadonlySet<string>): boolean {
    for (const cluster of clusters) if (this.#isWarming(cluster)) return true;
    return false;
  }

  #take(name: string, table: RouteTable): void {
    this.#forget(name);
    this.#tables.set(name, table);
  }

  #forget(name: string): void {
    this.#waiting.get(name)?.limit.cancel();
    this.#waiting.delete(name);
  }
}
