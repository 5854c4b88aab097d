import type { Clock } from "@mixerless/clock";
import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import { ROUTE_CONFIG_COMPILERS } from "../../filters/route-configs.ts";
import { type Compiled, type ConfigFault, compiledUnless } from "../../network/config-fault.ts";
import type { HeaderMap } from "../header-map.ts";
import { H, HeaderName } from "../header-name.ts";
import { addDomains, DomainTable, hostWithoutPort } from "./domain-table.ts";
import { compileFilterConfigs } from "./filter-configs.ts";
import { compileHeaderMutations } from "./header-mutations.ts";
import { LevelStack } from "./level-stack.ts";
import { queryStart } from "./rewrites.ts";
import type { RouteEntry } from "./route-entry.ts";
import type { Noted } from "./route-match.ts";
import { compileVirtualHost, type VirtualHost } from "./virtual-host.ts";

/** A compiled RouteConfiguration. Immutable: an update makes another one. */
export interface RouteTable {
  readonly name: string;
  /** Removed from requests that do not come from inside. */
  readonly internalOnlyHeaders: readonly HeaderName[];
  /**
   * The route of a request; null where no virtual host or none of its routes fits. `random` is uniform in [0, 1);
   * `noted` is the dynamic metadata so far.
   */
  match(headers: HeaderMap, random: () => number, noted?: Noted): RouteEntry | null;
}

/**
 * Compiles a route configuration, inline or from RDS. What is not supported gives faults with their path, relative to
 * the configuration. `clock` is asked by header values with time operators only.
 */
export function compileRouteTable(config: RouteConfiguration, clock: Clock): Compiled<RouteTable> {
  const faults: ConfigFault[] = [];
  refuseUnsupported(config, faults);
  const request = compileHeaderMutations(
    config.requestHeadersToAdd,
    config.requestHeadersToRemove,
    clock,
    "request",
    faults,
  );
  const response = compileHeaderMutations(
    config.responseHeadersToAdd,
    config.responseHeadersToRemove,
    clock,
    "response",
    faults,
  );
  const scope = {
    clock,
    levels: new LevelStack([request], [response], config.mostSpecificHeaderMutationsWins),
    filterConfigs: compileFilterConfigs(new Map(), config.typedPerFilterConfig, ROUTE_CONFIG_COMPILERS, "", faults),
    compilers: ROUTE_CONFIG_COMPILERS,
    maxBodyBytes: config.maxDirectResponseBodySizeBytes ?? 4096,
  };
  const hosts = new DomainTable<VirtualHost>();
  for (const [i, host] of config.virtualHosts.entries()) {
    const path = `virtualHosts[${i}]`;
    addDomains(hosts, host.domains, compileVirtualHost(host, scope, path, faults), `${path}.domains`, faults);
  }
  const internal = config.internalOnlyHeaders.map((name) => HeaderName.of(name));
  return compiledUnless(faults, new Table(config.name, hosts, config.ignorePortInHostMatching, internal));
}

class Table implements RouteTable {
  readonly name: string;
  readonly internalOnlyHeaders: readonly HeaderName[];
  readonly #hosts: DomainTable<VirtualHost>;
  readonly #ignorePort: boolean;

  constructor(name: string, hosts: DomainTable<VirtualHost>, ignorePort: boolean, internal: readonly HeaderName[]) {
    this.name = name;
    this.internalOnlyHeaders = internal;
    this.#hosts = hosts;
    this.#ignorePort = ignorePort;
  }

  match(headers: HeaderMap, random: () => number, noted: Noted = null): RouteEntry | null {
    const path = headers.get(H.path);
    if (path === null) return null;
    const authority = headers.get(H.authority) ?? "";
    const host = this.#hosts.find(this.#ignorePort ? hostWithoutPort(authority) : authority);
    return host === null ? null : host.match(headers, path, queryStart(path), random, noted);
  }
}

function refuseUnsupported(config: RouteConfiguration, faults: ConfigFault[]): void {
  const refuse = (path: string, present: boolean) => {
    if (present) faults.push({ path, message: "is not supported" });
  };
  refuse("vhds", config.vhds !== undefined);
  refuse("clusterSpecifierPlugins", config.clusterSpecifierPlugins.length > 0);
  refuse("requestMirrorPolicies", config.requestMirrorPolicies.length > 0);
  refuse("ignorePathParametersInPathMatching", config.ignorePathParametersInPathMatching);
}
