import type { RouteFacts, StreamInfo } from "../../stream/stream-info.ts";
import { EnvoyHeader } from "../envoy-header-name.ts";
import type { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";
import type { RouteFilterConfig, RouteFilterConfigs } from "./filter-configs.ts";
import type { HeaderMutations } from "./header-mutations.ts";
import type { Action } from "./route-action.ts";

/** Header mutations of all levels in the order in which they are carried out; empty levels left out. */
export interface MutationLevels {
  readonly request: readonly HeaderMutations[];
  readonly response: readonly HeaderMutations[];
}

/**
 * What a request got by routing: an action and, for forwarding, one cluster. Made when the table is compiled, one
 * per choice of a weighted list, so that a request allocates nothing for it.
 */
export class RouteEntry {
  readonly facts: RouteFacts;
  readonly action: Action;
  /** Empty where the action forwards nowhere, or where the header that should name it is missing. */
  readonly cluster: string;
  readonly #mutations: MutationLevels;
  readonly #filterConfigs: RouteFilterConfigs;
  readonly #hostOfWeight: string;

  constructor(
    facts: RouteFacts,
    action: Action,
    cluster: string,
    mutations: MutationLevels,
    filterConfigs: RouteFilterConfigs,
    hostOfWeight = "",
  ) {
    this.facts = facts;
    this.action = action;
    this.cluster = cluster;
    this.#mutations = mutations;
    this.#filterConfigs = filterConfigs;
    this.#hostOfWeight = hostOfWeight;
  }

  /** The same route to a cluster that a header names. */
  withCluster(cluster: string): RouteEntry {
    return new RouteEntry(this.facts, this.action, cluster, this.#mutations, this.#filterConfigs, this.#hostOfWeight);
  }

  filterConfig(filterName: string): RouteFilterConfig | null {
    return this.#filterConfigs.get(filterName) ?? null;
  }

  /**
   * What the route does to a request on its way to the cluster: header lists, then authority, then path. `tell` keeps
   * what was replaced in `x-envoy-original-…`.
   */
  finalizeRequestHeaders(headers: HeaderMap, info: StreamInfo, tell: boolean): void {
    for (const level of this.#mutations.request) level.apply(headers, info);
    if (this.action.kind !== "forward") return;
    const host = this.action.rewriteHost?.(headers) ?? (this.#hostOfWeight || null);
    if (host !== null) this.rewriteAuthority(headers, host, tell);
    if (this.action.rewritePath === null) return;
    const path = headers.get(H.path) ?? "/";
    if (tell) headers.set(H.xEnvoyOriginalPath, path);
    headers.set(H.path, this.action.rewritePath(path));
  }

  finalizeResponseHeaders(headers: HeaderMap, info: StreamInfo): void {
    for (const level of this.#mutations.response) level.apply(headers, info);
  }

  /** Replaces the authority, keeping the old one in `x-forwarded-host` if the route asks for that. */
  rewriteAuthority(headers: HeaderMap, host: string, tell: boolean): void {
    const before = headers.get(H.authority);
    if (this.action.kind === "forward" && this.action.appendXForwardedHost && before !== null && before !== host) {
      headers.add(EnvoyHeader.xForwardedHost, before);
    }
    if (tell && before !== null) headers.set(EnvoyHeader.originalHost, before);
    headers.set(H.authority, host);
  }
}
