import { toJson, unpackAnyAs } from "@mixerless/wire";
import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { FilterSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import {
  HttpConnectionManagerSchema,
  HttpFilterSchema,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import type { Generated, Provenance } from "../generators/generated.ts";

/** Istio's metrics in its native form, or as a module that Istio delivers. */
const STATS = /"stats\.PluginConfig"|\/stats\.PluginConfig"|"envoy\.wasm\.stats"|\/stats-filter[^"]*\.wasm"/;

/** The patches that put a second filter of Istio's metrics on a chain of the listener. */
export function doubledStats({ message, elements = [] }: Generated<Listener>): Provenance[] {
  const chains = [...message.filterChains, ...(message.defaultFilterChain ? [message.defaultFilterChain] : [])];
  const doubled = chains.some(({ filters }) => {
    const network = filters.map((filter) => JSON.stringify(toJson(FilterSchema, filter, { declaredNames: true })));
    const http = filters.flatMap(({ configType }) => {
      if (configType.case !== "typedConfig") return [];
      const manager = unpackAnyAs(configType.value, HttpConnectionManagerSchema).message;
      return (manager?.httpFilters ?? []).map((filter) =>
        JSON.stringify(toJson(HttpFilterSchema, filter, { declaredNames: true })),
      );
    });
    const counts = [http, http.length > 0 ? [] : network].map((list) => list.filter((text) => STATS.test(text)).length);
    return counts.some((count) => count > 1);
  });
  if (!doubled) return [];
  const added = elements.filter(({ name }) => /stats/i.test(name)).map(({ provenance }) => provenance);
  return [...new Map(added.map((entry) => [`${entry.config.name} ${entry.path}`, entry])).values()];
}
