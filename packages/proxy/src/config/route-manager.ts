import type { Clock } from "@mixerless/clock";
import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import type { RouteProvider } from "../http/routing/route-provider.ts";
import { compileRouteTable, type RouteTable } from "../http/routing/route-table.ts";
import type { ConfigFault } from "../network/config-fault.ts";

/** The route tables that arrive apart from their listeners. */
export class RouteManager implements RouteProvider {
  readonly #clock: Clock;
  readonly #tables = new Map<string, RouteTable>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(name: string): RouteTable | null {
    return this.#tables.get(name) ?? null;
  }

  /** Takes effect with the next request. With faults the table before stays. */
  set(config: RouteConfiguration): readonly ConfigFault[] {
    const result = compileRouteTable(config, this.#clock);
    if (!result.ok) return result.faults;
    this.#tables.set(config.name, result.value);
    return [];
  }

  remove(name: string): void {
    this.#tables.delete(name);
  }
}
