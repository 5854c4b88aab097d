/** Totals of one listener. */
export interface ListenerStats {
  downstreamCxTotal: number;
  downstreamCxActive: number;
  noFilterChainMatch: number;
  /** Accepted, and not yet known what they are. */
  preCxActive: number;
  /** Ended because a hello that had begun did not come to its end. */
  preCxTimeout: number;
  /** Ended to make room for others of the kind. */
  preCxOverflow: number;
}

export function createListenerStats(): ListenerStats {
  return {
    downstreamCxTotal: 0,
    downstreamCxActive: 0,
    noFilterChainMatch: 0,
    preCxActive: 0,
    preCxTimeout: 0,
    preCxOverflow: 0,
  };
}
