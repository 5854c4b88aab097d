import { type HTTPFault, HTTPFaultSchema } from "@mixerless/wire/envoy/extensions/filters/http/fault/v3/fault";
import type { RouteConfigCompiler } from "../../http/routing/filter-configs.ts";
import { httpFilterType } from "../http-filter-type.ts";
import { compileFault, type FaultConfig } from "./config.ts";
import { FaultFilter, type FaultShares } from "./filter.ts";
import { createFaultStats } from "./stats.ts";

/** `envoy.filters.http.fault`. What a route says takes the place of what the chain says. */
export const FAULT = httpFilterType(HTTPFaultSchema, (message, context, path, faults) => {
  const config = compileFault(message, path, faults);
  const { clock, random, metrics } = context.chain;
  const shares: FaultShares = { clock, random, stats: createFaultStats(metrics, context.statPrefix), active: 0 };
  return {
    create: (stream) => {
      const own = (stream.route?.filterConfig(context.filterName)?.config ?? config) as FaultConfig;
      return own.delay === null && own.abort === null ? null : new FaultFilter(stream, own, shares);
    },
  };
});

export const FAULT_ROUTE_CONFIG: RouteConfigCompiler = {
  schema: HTTPFaultSchema,
  compile: (message, path, faults) => compileFault(message as HTTPFault, path, faults),
};
