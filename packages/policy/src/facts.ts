/** What a validated client certificate says. */
export interface PeerFacts {
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  /** As RFC 2253 prints it; empty for a workload's. */
  readonly subject: string;
}

/**
 * What a decision may look at: of a request, or of a connection that has none. `Key` is what the caller
 * turns header names into once, so that a look-up costs nothing per request.
 */
export interface PolicyFacts<Key = string> {
  /** The values of a header, line by line. A connection without requests has no headers. */
  headers(key: Key): readonly string[];
  /** Path without query and fragment, after normalisation; empty for a connection without requests. */
  readonly path: string;
  readonly destinationIp: string;
  readonly destinationPort: number;
  /** The other end of the connection. */
  readonly directRemoteIp: string;
  /** Who asks, as far as `x-forwarded-for` is trusted; else {@link directRemoteIp}. */
  readonly remoteIp: string;
  /** SNI; empty when the client sent none. */
  readonly requestedServerName: string;
  /** Null unless the client proved who it is by a certificate. */
  readonly peer: PeerFacts | null;
  /** What a filter noted about the request, as JSON; undefined for nothing. */
  metadata(filter: string): unknown;
}
