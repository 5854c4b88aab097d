import type { WasmVm } from "../vm/vm.ts";
import { compress, uncompress } from "./compression.ts";
import { createExpression, deleteExpression, evaluateExpression } from "./expressions.ts";
import type { BuiltInFunction } from "./function.ts";
import { sign, verifySignature } from "./signatures.ts";
import { clearRouteCache, declareProperty, setFilterState } from "./state.ts";

/** The functions that plugins call by name [proxy-wasm §10]. */
const BUILT_IN: Readonly<Record<string, BuiltInFunction>> = {
  compress,
  uncompress,
  clear_route_cache: clearRouteCache,
  set_envoy_filter_state: setFilterState,
  declare_property: declareProperty,
  expr_create: createExpression,
  expr_evaluate: evaluateExpression,
  expr_delete: deleteExpression,
  verify_signature: verifySignature,
  sign,
};

/** The function of a name, the proxy's own first; null: there is none. */
export function foreignFunction(vm: WasmVm, name: string): BuiltInFunction | null {
  const given = vm.options.services.foreign.get(name);
  if (given !== undefined) {
    return (_vm, argument) => given(argument, vm.active?.stream?.attributes ?? null);
  }
  return Object.hasOwn(BUILT_IN, name) ? (BUILT_IN[name] ?? null) : null;
}
