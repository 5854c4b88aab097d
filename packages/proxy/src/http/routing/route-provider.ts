import type { RouteTable } from "./route-table.ts";

/** Gives route tables that are delivered apart from their listener (RDS). */
export interface RouteProvider {
  /** The current table of that name; null while it has not arrived. Asked once per request, so it must be cheap. */
  get(name: string): RouteTable | null;
}
