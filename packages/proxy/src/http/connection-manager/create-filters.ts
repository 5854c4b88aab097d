import type { FilterStream, HttpFilter } from "../http-filter.ts";
import type { RouteEntry } from "../routing/route-entry.ts";
import type { ConfiguredFilter } from "./manager-config.ts";

/** Makes the filters of one stream, without those that the configuration or the route switches off. */
export function createFilters(
  configured: readonly ConfiguredFilter[],
  stream: FilterStream,
  route: RouteEntry | null,
): readonly HttpFilter[] {
  const filters: HttpFilter[] = [];
  for (const { name, disabled, factory } of configured) {
    const choice = route?.filterConfig(name) ?? null;
    if (choice === null ? disabled : choice.disabled) continue;
    const filter = factory.create(stream);
    if (filter === null) continue;
    filter.index = filters.length;
    filters.push(filter);
  }
  return filters;
}
