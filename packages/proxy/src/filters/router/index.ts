import { RouterSchema } from "@mixerless/wire/envoy/extensions/filters/http/router/v3/router";
import { httpFilterType } from "../http-filter-type.ts";
import type { RouterConfig } from "./config.ts";
import { RouterFilter } from "./filter.ts";
import { createRouterStats } from "./stats.ts";

/** `envoy.filters.http.router`, the last filter of every chain. */
export const ROUTER = httpFilterType(RouterSchema, (message, context, path, faults) => {
  const refuse = (field: string, present: boolean) => {
    if (present) faults.push({ path: path === "" ? field : `${path}.${field}`, message: "is not supported" });
  };
  refuse("upstreamLog", message.upstreamLog.length > 0);
  refuse("strictCheckHeaders", message.strictCheckHeaders.length > 0);
  refuse("upstreamHttpFilters", message.upstreamHttpFilters.length > 0);
  const config: RouterConfig = {
    clock: context.chain.clock,
    wheel: context.chain.wheel,
    clusters: context.chain.clusters,
    random: context.chain.random,
    stats: createRouterStats(context.chain.metrics, context.statPrefix),
    suppressEnvoyHeaders: message.suppressEnvoyHeaders,
  };
  return { create: (stream) => new RouterFilter(stream, config) };
});
