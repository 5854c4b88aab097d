import type { Any } from "@bufbuild/protobuf/wkt";
import { unpackTypedStruct } from "@mixerless/wire";
import { RBACSchema } from "@mixerless/wire/envoy/extensions/filters/network/rbac/v3/rbac";
import { addFaults, type ConfigFault } from "../../network/config-fault.ts";
import type { ConnectionGate } from "../../network/connection-gate.ts";
import type { FilterChainContext } from "../../network/context.ts";
import { compileRbac } from "../rbac/config.ts";
import { decide, deniedDetails } from "../rbac/decide.ts";
import { StreamFacts } from "../rbac/facts.ts";
import { createNetworkRbacStats } from "../rbac/stats.ts";

export const NETWORK_RBAC = RBACSchema.typeName;

/**
 * `envoy.filters.network.rbac`: who may connect. Envoy decides at the first byte, when it has dialled the
 * upstream already; here nothing is dialled for a peer that is refused, so a server that speaks first
 * tells it nothing. Null after adding faults.
 */
export function compileNetworkRbac(
  config: Any,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): ConnectionGate | null {
  const decoded = unpackTypedStruct(config, RBACSchema);
  if (decoded.faults !== undefined) {
    addFaults(faults, path, decoded.faults);
    return null;
  }
  const { message } = decoded;
  const rbac = compileRbac(message, path, faults);
  const stats = createNetworkRbacStats(context.metrics, message.statPrefix, rbac.shadowPrefix);
  return {
    refusal: (info) => {
      const decision = decide(rbac, new StreamFacts(info, null), info, stats, "envoy.filters.network.rbac");
      return decision === null || decision.allowed ? null : deniedDetails(decision);
    },
  };
}
