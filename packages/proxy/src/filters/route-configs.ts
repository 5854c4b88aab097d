import type { RouteConfigCompilers } from "../http/routing/filter-configs.ts";

/** The per-route messages that are known, by message type name. A filter with such a message adds its line here. */
export const ROUTE_CONFIG_COMPILERS: RouteConfigCompilers = {};
