import { packAny, unpackAnyAs } from "@mixerless/wire";
import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import {
  type Filter,
  type FilterChain,
  FilterChainSchema,
  FilterSchema,
} from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  HttpFilterSchema,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { CONNECTION_MANAGER, isSameFilter } from "../config/kinds/filter-names.ts";
import { type FilterList, mergeFilter, missingFilter, placeFilter } from "./filter-list.ts";
import { missOfChain, missOfListener, wantedFilter, wantedSubFilter } from "./listener-match.ts";
import { mergeMessages } from "./merge-messages.ts";
import { missed, type Patch, type Patching, patchValue } from "./patch.ts";
import { patchRouteConfiguration } from "./patch-routes.ts";
import { mergeSocket } from "./transport-socket.ts";

/** Patches one filter chain in place; false when it is to be removed [control-plane §1.7]. */
export function patchChain(patching: Patching, listener: Listener, chain: FilterChain): boolean {
  const { context, patches, log } = patching;
  const isMeant = (patch: Patch) => {
    const miss = missOfListener(patch, listener) ?? missOfChain(patch, listener, chain);
    if (miss !== null) log.miss(patch, miss);
    return miss === null;
  };
  const where = `listener ${listener.name}`;
  for (const patch of patches.of("FILTER_CHAIN", context)) {
    if (patch.operation !== "REMOVE" && patch.operation !== "MERGE") continue;
    if (!isMeant(patch)) continue;
    log.hit(patch, `filter chain ${chain.name || "without a name"} of ${where}`);
    if (patch.operation === "REMOVE") return false;
    mergeChain(patching, chain, patch, where);
  }
  const list: FilterList<typeof FilterSchema> = {
    schema: FilterSchema,
    what: "network filter",
    where,
    wanted: wantedFilter,
    renames: true,
  };
  const meant = patches.of("NETWORK_FILTER", context).filter(isMeant);
  const managers = patches.of("HTTP_FILTER", context).filter(isMeant);
  for (const filter of chain.filters) patchInlineRoutes(patching, filter);
  for (const patch of meant) if (patch.operation !== "MERGE") placeFilter(list, chain.filters, patch, log);
  for (const patch of meant) {
    if (patch.operation !== "MERGE") continue;
    const wanted = wantedFilter(patch);
    if (wanted !== "" && !chain.filters.some(({ name }) => isSameFilter(name, wanted)))
      log.miss(patch, missingFilter(list, chain.filters, wanted));
  }
  for (const filter of chain.filters) {
    for (const patch of meant) if (patch.operation === "MERGE") mergeFilter(list, filter, patch, log);
    if (managers.length > 0) patchHttpFilters(patching, where, filter, managers);
  }
  if (!chain.filters.some(({ name }) => isSameFilter(name, CONNECTION_MANAGER)))
    for (const patch of managers)
      log.miss(
        patch,
        missed(3, () => `a filter chain of ${where} has no HTTP connection manager`),
      );
  return true;
}

function mergeChain({ log }: Patching, chain: FilterChain, patch: Patch, where: string): void {
  const value = patchValue(patch, FilterChainSchema);
  if (value === undefined) return;
  const mine = chain.transportSocket;
  if (value.transportSocket !== undefined && mine !== undefined && value.transportSocket.name === mine.name) {
    // Upstream applies nothing else of such a patch.
    const problem = mergeSocket(mine, value.transportSocket);
    if (problem !== null) log.problem(patch, `the transport socket ${mine.name} of ${where}: ${problem}`);
    return;
  }
  mergeMessages(FilterChainSchema, chain, value);
}

function patchHttpFilters({ log }: Patching, where: string, filter: Filter, patches: readonly Patch[]): void {
  if (!isSameFilter(filter.name, CONNECTION_MANAGER)) return;
  editManager(filter, (manager) => {
    const list: FilterList<typeof HttpFilterSchema> = {
      schema: HttpFilterSchema,
      what: "HTTP filter",
      where,
      wanted: wantedSubFilter,
      renames: true,
    };
    const filters = manager.httpFilters;
    for (const patch of patches) if (patch.operation !== "MERGE") placeFilter(list, filters, patch, log);
    for (const patch of patches) {
      if (patch.operation !== "MERGE") continue;
      const wanted = wantedSubFilter(patch);
      if (wanted !== "" && !filters.some(({ name }) => isSameFilter(name, wanted)))
        log.miss(patch, missingFilter(list, filters, wanted));
      for (const filter of filters) mergeFilter(list, filter, patch, log);
    }
  });
}

/** Routes that stand in the listener itself, as those of inbound chains do. */
function patchInlineRoutes(patching: Patching, filter: Filter): void {
  const { patches, context } = patching;
  if (context !== "SIDECAR_INBOUND" || !isSameFilter(filter.name, CONNECTION_MANAGER)) return;
  if (!ROUTES.some((applyTo) => patches.of(applyTo, context).length > 0)) return;
  editManager(filter, ({ routeSpecifier }) => {
    if (routeSpecifier.case === "routeConfig") patchRouteConfiguration(patching, routeSpecifier.value);
  });
}

const ROUTES = ["ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"] as const;

/** Unpacks the configuration of an HTTP connection manager, lets it be edited, and packs it again. */
function editManager(filter: Filter, edit: (manager: HttpConnectionManager) => void): void {
  if (filter.configType.case !== "typedConfig") return;
  const { value: any } = filter.configType;
  const { message } = unpackAnyAs(any, HttpConnectionManagerSchema);
  if (message === undefined) return;
  edit(message);
  filter.configType = { case: "typedConfig", value: packAny(HttpConnectionManagerSchema, message, any.typeUrl) };
}
