import {
  type CorsPolicy as CorsPolicyMessage,
  CorsPolicySchema,
  CorsSchema,
} from "@mixerless/wire/envoy/extensions/filters/http/cors/v3/cors";
import type { RouteConfigCompiler } from "../../http/routing/filter-configs.ts";
import { httpFilterType } from "../http-filter-type.ts";
import { type CorsPolicy, compileCorsPolicy } from "./config.ts";
import { CorsFilter } from "./filter.ts";

/** `envoy.filters.http.cors`. It acts on routes that have a policy. */
export const CORS = httpFilterType(CorsSchema, (_message, context) => ({
  create: (stream) => {
    const policy = (stream.route?.filterConfig(context.filterName)?.config ?? null) as CorsPolicy | null;
    if (policy === null || context.chain.random() >= policy.share) return null;
    return new CorsFilter(stream, policy);
  },
}));

export const CORS_ROUTE_CONFIG: RouteConfigCompiler = {
  schema: CorsPolicySchema,
  compile: (message, path, faults) => compileCorsPolicy(message as CorsPolicyMessage, path, faults),
};
