import type { RouteConfigCompiler, RouteConfigCompilers } from "../http/routing/filter-configs.ts";
import { CORS_ROUTE_CONFIG } from "./cors/index.ts";
import { FAULT_ROUTE_CONFIG } from "./fault/index.ts";
import { JWT_AUTHN_ROUTE_CONFIG } from "./jwt-authn/index.ts";
import { RBAC_ROUTE_CONFIG } from "./rbac/index.ts";

const COMPILERS: readonly RouteConfigCompiler[] = [
  FAULT_ROUTE_CONFIG,
  CORS_ROUTE_CONFIG,
  JWT_AUTHN_ROUTE_CONFIG,
  RBAC_ROUTE_CONFIG,
];

/** The per-route messages that are known, by message type name. A filter with such a message adds its line above. */
export const ROUTE_CONFIG_COMPILERS: RouteConfigCompilers = Object.fromEntries(
  COMPILERS.map((compiler) => [compiler.schema.typeName, compiler]),
);
