/** A header name, made once; the proxy's own kind of name. */
export interface HeaderKey {
  /** Lower case. */
  readonly text: string;
}

/** A header section or trailers as the proxy keeps them. Values are byte strings, pseudo-headers come first. */
export interface HeaderFields {
  /** Number of fields. */
  readonly size: number;
  /** Sum of the lengths of names and values. */
  readonly byteSize: number;
  getFirst(name: HeaderKey): string | null;
  add(name: HeaderKey, value: string): void;
  set(name: HeaderKey, value: string): void;
  remove(name: HeaderKey): void;
  forEach(visit: (name: string, value: string) => void): void;
}

/** A response that a plugin asks for, or the host in its place. */
export interface LocalReply {
  readonly status: number;
  /** Byte string. */
  readonly body: string;
  /** Response code details, without white space. */
  readonly details: string;
  /** To be added; names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** For gRPC requests; null derives it from `status`. */
  readonly grpcStatus: number | null;
}

/** How long what `set_property` stores lives. */
export type StateSpan = "filterChain" | "request" | "connection";

/** What every stream offers to plugins. */
export interface StreamFacts {
  /** What the readers of attributes are given. */
  readonly attributes: object;
  /** Filter state of the stream; null: none of this name. Values are byte strings. */
  getState(name: string): string | null;
  setState(name: string, value: string, span: StateSpan): void;
}

/** A stream that is over, as its access log offers it to a plugin. */
export interface LoggedStream extends StreamFacts {
  /** Header maps 0 to 3 [proxy-wasm §4], to be read; null: there is none. */
  headers(map: number): HeaderFields | null;
}

/** One HTTP stream as its proxy offers it to a plugin. None of the calls comes while the VM runs. */
export interface HttpStreamHost extends StreamFacts {
  /** Header maps 0 to 3 [proxy-wasm §4]; null: there is none (yet). */
  headers(map: number): HeaderFields | null;
  /** Empty trailers (map 1 or 3) for a message whose body has just ended without; null: can't be. */
  addTrailers(map: number): HeaderFields | null;
  /** Goes on with what the plugin held back, from the next filter on. */
  continueRequest(): void;
  continueResponse(): void;
  /** Answers in place of the upstream; after a response has started, the stream is reset. */
  sendLocalReply(reply: LocalReply): void;
  resetStream(details: string): void;
  /** The route has to be chosen anew before the request is sent on. */
  clearRouteCache(): void;
}

/** One TCP connection as its proxy offers it to a plugin. */
export interface TcpStreamHost extends StreamFacts {
  /** Goes on with the connection, or with what the plugin held of the client's bytes. None of the calls comes while the VM runs. */
  continueDownstream(): void;
  /** Goes on with what it held for the client: its VM has failed, and connections go on without it. */
  continueUpstream(): void;
  /** Closes the connection when all that is to be written has been. */
  close(details: string): void;
}
