import type { WorkloadMode } from "../config/kinds/policies.ts";

/** Which end of a request a proxy is at: outbound listeners and gateways are clients, inbound listeners are servers. */
export type Side = "CLIENT" | "SERVER";

export function concerns(mode: WorkloadMode, side: Side): boolean {
  return mode === "CLIENT_AND_SERVER" || mode === side;
}
