import type { Clock } from "@mixerless/clock";
import {
  type Route,
  VirtualHost_TlsRequirementType as TlsRequirement,
  type VirtualHost as VirtualHostConfig,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { RouteFacts } from "../../stream/stream-info.ts";
import { EnvoyHeader } from "../envoy-header-name.ts";
import type { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";
import { compileClusterChoice, type EntryChoice } from "./cluster-choice.ts";
import { compileFilterConfigs, type RouteConfigCompilers, type RouteFilterConfigs } from "./filter-configs.ts";
import { compileHeaderMutations } from "./header-mutations.ts";
import type { LevelStack } from "./level-stack.ts";
import { HTTPS_REDIRECT } from "./redirect.ts";
import { compileAction } from "./route-action.ts";
import { RouteEntry } from "./route-entry.ts";
import { compileRouteCondition, type Noted, type RouteCondition } from "./route-match.ts";

/** What a route configuration gives to the virtual hosts in it. */
export interface VirtualHostScope {
  readonly clock: Clock;
  readonly levels: LevelStack;
  readonly filterConfigs: RouteFilterConfigs;
  readonly compilers: RouteConfigCompilers;
  readonly maxBodyBytes: number;
}

interface CompiledRoute {
  readonly condition: RouteCondition;
  readonly choose: EntryChoice;
}

/** A virtual host: its routes in order. */
export class VirtualHost {
  readonly #routes: readonly CompiledRoute[];
  readonly #requireTls: TlsRequirement;
  readonly #httpsRedirect: RouteEntry;

  constructor(routes: readonly CompiledRoute[], requireTls: TlsRequirement, httpsRedirect: RouteEntry) {
    this.#routes = routes;
    this.#requireTls = requireTls;
    this.#httpsRedirect = httpsRedirect;
  }

  /** The entry of the first route whose condition holds. `path` is the `:path`, `pathEnd` where its query begins. */
  match(headers: HeaderMap, path: string, pathEnd: number, random: () => number, noted: Noted): RouteEntry | null {
    if (this.#requireTls !== TlsRequirement.NONE && this.#isRefusedPlaintext(headers)) return this.#httpsRedirect;
    const share = random();
    for (const route of this.#routes) {
      if (route.condition.matches(headers, path, pathEnd, share, noted)) return route.choose(headers, random);
    }
    return null;
  }

  #isRefusedPlaintext(headers: HeaderMap): boolean {
    if (headers.get(H.xForwardedProto) === "https") return false;
    return this.#requireTls === TlsRequirement.ALL || headers.get(EnvoyHeader.internal) !== "true";
  }
}

export function compileVirtualHost(
  config: VirtualHostConfig,
  scope: VirtualHostScope,
  path: string,
  faults: ConfigFault[],
): VirtualHost {
  if (config.matcher !== undefined) faults.push({ path: `${path}.matcher`, message: "is not supported" });
  const request = compileHeaderMutations(
    config.requestHeadersToAdd,
    config.requestHeadersToRemove,
    scope.clock,
    `${path}.request`,
    faults,
  );
  const response = compileHeaderMutations(
    config.responseHeadersToAdd,
    config.responseHeadersToRemove,
    scope.clock,
    `${path}.response`,
    faults,
  );
  const inner: VirtualHostScope = {
    ...scope,
    levels: scope.levels.narrower(request, response),
    filterConfigs: compileFilterConfigs(
      scope.filterConfigs,
      config.typedPerFilterConfig,
      scope.compilers,
      path,
      faults,
    ),
  };
  const routes: CompiledRoute[] = [];
  for (const [i, route] of config.routes.entries()) {
    const compiled = compileRoute(route, config, inner, `${path}.routes[${i}]`, faults);
    if (compiled !== null) routes.push(compiled);
  }
  const redirect = new RouteEntry(
    factsOf(null, config),
    HTTPS_REDIRECT,
    "",
    inner.levels.ordered(),
    inner.filterConfigs,
  );
  return new VirtualHost(routes, config.requireTls, redirect);
}

function compileRoute(
  route: Route,
  host: VirtualHostConfig,
  scope: VirtualHostScope,
  path: string,
  faults: ConfigFault[],
): CompiledRoute | null {
  const condition = compileRouteCondition(route.match, `${path}.match`, faults);
  if (condition === null) return null;
  const action = compileAction(route, host, condition.path, path, scope.maxBodyBytes, faults);
  if (action === null) return null;
  const request = compileHeaderMutations(
    route.requestHeadersToAdd,
    route.requestHeadersToRemove,
    scope.clock,
    `${path}.request`,
    faults,
  );
  const response = compileHeaderMutations(
    route.responseHeadersToAdd,
    route.responseHeadersToRemove,
    scope.clock,
    `${path}.response`,
    faults,
  );
  const levels = scope.levels.narrower(request, response);
  const filterConfigs = compileFilterConfigs(
    scope.filterConfigs,
    route.typedPerFilterConfig,
    scope.compilers,
    path,
    faults,
  );
  const facts = factsOf(route, host);
  if (action.kind !== "forward" || route.action.case !== "route") {
    const entry = new RouteEntry(facts, action, "", levels.ordered(), filterConfigs);
    return { condition, choose: () => entry };
  }
  const parts = { facts, action, levels, filterConfigs };
  const choose = compileClusterChoice(route.action.value, parts, scope.clock, scope.compilers, `${path}.route`, faults);
  return { condition, choose };
}

function factsOf(route: Route | null, host: VirtualHostConfig): RouteFacts {
  return {
    name: route?.name ?? "",
    virtualHost: host.name,
    metadata: route?.metadata?.filterMetadata ?? {},
    virtualHostMetadata: host.metadata?.filterMetadata ?? {},
  };
}
