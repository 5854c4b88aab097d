import {
  JwtAuthenticationSchema,
  type PerRouteConfig,
  PerRouteConfigSchema,
} from "@mixerless/wire/envoy/extensions/filters/http/jwt_authn/v3/config";
import type { FilterStream } from "../../http/http-filter.ts";
import type { RouteConfigCompiler } from "../../http/routing/filter-configs.ts";
import { httpFilterType } from "../http-filter-type.ts";
import { compileJwtAuthn, type JwtAuthnConfig } from "./config.ts";
import { JwtAuthnFilter, type RouteRequirement } from "./filter.ts";
import { createJwtAuthnStats } from "./stats.ts";

/** What a route says: without tokens, or by a requirement of the filter's map; "" for neither. */
type RouteChoice = "disabled" | { readonly requirementName: string };

/** `envoy.filters.http.jwt_authn`: whose tokens requests carry. */
export const JWT_AUTHN = httpFilterType(JwtAuthenticationSchema, (message, context, path, faults) => {
  const { clusters, clock, random, metrics } = context.chain;
  const stats = createJwtAuthnStats(metrics, context.statPrefix);
  const config = compileJwtAuthn(message, { clusters, clock, random, stats }, path, faults);
  const shares = { config, stats, clock, random };
  return {
    create: (stream) => {
      const choice = choiceOf(stream, context.filterName);
      return choice === "disabled" ? null : new JwtAuthnFilter(stream, shares, requirementOf(choice, config));
    },
    close: () => config.close(),
  };
});

export const JWT_AUTHN_ROUTE_CONFIG: RouteConfigCompiler = {
  schema: PerRouteConfigSchema,
  compile: (message, path, faults): RouteChoice => {
    const { requirementSpecifier } = message as PerRouteConfig;
    if (requirementSpecifier.case === "disabled" && requirementSpecifier.value) return "disabled";
    if (requirementSpecifier.case === "requirementName") return { requirementName: requirementSpecifier.value };
    faults.push({ path, message: "needs disabled: true or requirementName" });
    return { requirementName: "" };
  },
};

function choiceOf(stream: FilterStream, filterName: string): RouteChoice | null {
  return (stream.route?.filterConfig(filterName)?.config ?? null) as RouteChoice | null;
}

function requirementOf(
  choice: Exclude<RouteChoice, "disabled"> | null,
  config: JwtAuthnConfig,
): RouteRequirement | null {
  if (choice === null) return null;
  const requirement = config.named.get(choice.requirementName);
  return requirement === undefined ? { unknown: choice.requirementName } : { requirement };
}
