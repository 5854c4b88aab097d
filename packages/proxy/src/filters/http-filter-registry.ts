import { ALPN } from "./alpn/index.ts";
import { CORS } from "./cors/index.ts";
import { FAULT } from "./fault/index.ts";
import { GRPC_STATS } from "./grpc-stats/index.ts";
import type { HttpFilterType } from "./http-filter-type.ts";
import { JWT_AUTHN } from "./jwt-authn/index.ts";
import { RBAC } from "./rbac/index.ts";
import { ROUTER } from "./router/index.ts";
import { WASM, WASM_V2 } from "./wasm/index.ts";

/**
 * The HTTP filters that this proxy knows besides the in-process extensions. Their order in a chain is the
 * configuration's; the control plane's order and its reasons stand in [control-plane §4.6].
 */
const TYPES: readonly HttpFilterType[] = [GRPC_STATS, ALPN, FAULT, CORS, JWT_AUTHN, RBAC, WASM, WASM_V2, ROUTER];

const BY_TYPE: ReadonlyMap<string, HttpFilterType> = new Map(TYPES.map((type) => [type.typeName, type]));

/** The filter of a configuration message type; null where it is not known. */
export function findHttpFilterType(typeName: string): HttpFilterType | null {
  return BY_TYPE.get(typeName) ?? null;
}

/** Whether a filter of this type ends a chain. */
export function isTerminalHttpFilter(typeName: string): boolean {
  return typeName === ROUTER.typeName;
}
