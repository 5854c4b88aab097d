import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import {
  type FilterChain,
  FilterChainSchema,
  ListenerFilterSchema,
} from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { isSameFilter } from "../config/kinds/filter-names.ts";
import { type FilterList, mergeFilter, missingFilter, placeFilter } from "./filter-list.ts";
import { missOfListener } from "./listener-match.ts";
import { mergeMessages } from "./merge-messages.ts";
import { isAddition, type Patch, type Patching, patchValue } from "./patch.ts";
import { patchChain } from "./patch-chain.ts";

/** Patches one listener in place; false when it is to be removed [control-plane §1.7]. */
export function patchListener(patching: Patching, listener: Listener): boolean {
  const { context, patches, log } = patching;
  const isMeant = (patch: Patch) => {
    const miss = missOfListener(patch, listener);
    if (miss !== null) log.miss(patch, miss);
    return miss === null;
  };
  for (const patch of patches.of("LISTENER", context)) {
    if ((patch.operation !== "REMOVE" && patch.operation !== "MERGE") || !isMeant(patch)) continue;
    log.hit(patch, `listener ${listener.name}`);
    if (patch.operation === "REMOVE") return false;
    const value = patchValue(patch, ListenerSchema);
    if (value !== undefined) mergeMessages(ListenerSchema, listener, value);
  }
  patchListenerFilters(patching, listener, isMeant);
  const chains = listener.filterChains.filter(
    (chain) => chain.filters.length === 0 || patchChain(patching, listener, chain),
  );
  const last = listener.defaultFilterChain;
  if (last !== undefined && last.filters.length > 0 && !patchChain(patching, listener, last))
    delete listener.defaultFilterChain;
  for (const patch of patches.of("FILTER_CHAIN", context)) {
    if (!isAddition(patch) || !isMeant(patch)) continue;
    const value = patchValue(patch, FilterChainSchema);
    if (value === undefined) continue;
    chains.push(value);
    log.hit(patch, `filter chain ${value.name || "without a name"} of listener ${listener.name}`);
  }
  listener.filterChains = chains.filter(hasFilters);
  return true;
}

function hasFilters({ filters }: FilterChain): boolean {
  return filters.length > 0;
}

function patchListenerFilters(
  { context, patches, log }: Patching,
  listener: Listener,
  isMeant: (patch: Patch) => boolean,
): void {
  const filters = listener.listenerFilters;
  const list: FilterList<typeof ListenerFilterSchema> = {
    schema: ListenerFilterSchema,
    what: "listener filter",
    where: `listener ${listener.name}`,
    wanted: ({ match }) => match.listener?.listenerFilter ?? "",
    renames: false,
  };
  for (const patch of patches.of("LISTENER_FILTER", context)) {
    if (!isMeant(patch)) continue;
    if (patch.operation !== "MERGE") {
      placeFilter(list, filters, patch, log);
      continue;
    }
    const wanted = list.wanted(patch);
    const target = filters.find(({ name }) => wanted !== "" && isSameFilter(name, wanted));
    if (target === undefined) log.miss(patch, missingFilter(list, filters, wanted));
    else mergeFilter(list, target, patch, log);
  }
}
