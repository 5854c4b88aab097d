import {
  type RBACPerRoute,
  RBACPerRouteSchema,
  RBACSchema,
} from "@mixerless/wire/envoy/extensions/filters/http/rbac/v3/rbac";
import type { RouteConfigCompiler } from "../../http/routing/filter-configs.ts";
import { fieldPath } from "../../network/config-fault.ts";
import { httpFilterType } from "../http-filter-type.ts";
import { compileRbac, type RbacConfig } from "./config.ts";
import { RbacFilter } from "./filter.ts";
import { createHttpRbacStats } from "./stats.ts";

/** `envoy.filters.http.rbac`: who may ask for what. A route may bring rules of its own, or none. */
export const RBAC = httpFilterType(RBACSchema, (message, context, path, faults) => {
  const config = compileRbac(message, path, faults);
  const stats = createHttpRbacStats(context.chain.metrics, context.statPrefix, config.rulesPrefix, config.shadowPrefix);
  return {
    create: (stream) => {
      const own = (stream.route?.filterConfig(context.filterName)?.config ?? config) as RbacConfig;
      return own.rules === null && own.shadow === null ? null : new RbacFilter(stream, own, stats);
    },
  };
});

export const RBAC_ROUTE_CONFIG: RouteConfigCompiler = {
  schema: RBACPerRouteSchema,
  compile: (message, path, faults): RbacConfig => {
    const { rbac } = message as RBACPerRoute;
    if (rbac !== undefined) return compileRbac(rbac, fieldPath(path, "rbac"), faults);
    return { rules: null, rulesPrefix: "", shadow: null, shadowPrefix: "" };
  },
};
