/** Totals of one listener. */
export interface ListenerStats {
  downstreamCxTotal: number;
  downstreamCxActive: number;
  noFilterChainMatch: number;
}

export function createListenerStats(): ListenerStats {
  return { downstreamCxTotal: 0, downstreamCxActive: 0, noFilterChainMatch: 0 };
}
