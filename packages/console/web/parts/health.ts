import type { Signals } from "../../src/api.ts";

export type Health = "healthy" | "degraded" | "failing" | "idle" | "tcpOnly";

/** From this share of failures on something is failing, as in the field's graphs. */
const FAILING = 0.1;

export function healthOf({ requests, success, tcpConnections, bytesIn, bytesOut }: Signals): Health {
  if (requests === 0 || success === null) return tcpConnections > 0 || bytesIn > 0 || bytesOut > 0 ? "tcpOnly" : "idle";
  const failures = 1 - success;
  if (failures >= FAILING) return "failing";
  return failures > 0 ? "degraded" : "healthy";
}
