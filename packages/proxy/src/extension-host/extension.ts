/*
 * What an in-process extension and this host show each other. The names and shapes are the sdk's; they are written
 * down here again because the data plane must not import it: whoever assembles the proxy hands the extensions in.
 * Strings are byte strings, 64-bit values doubles. No method of a handle throws.
 */

export interface PropertyName {
  readonly path: readonly string[];
  /** Equal for equal paths in the whole process, dense from 0. */
  readonly slot: number;
}

export interface ExtensionHeaderName {
  /** Lower case. */
  readonly name: string;
  readonly slot: number;
}

export interface ExtensionHeaderValue {
  readonly text: string;
}

export interface ExtensionStateName {
  readonly name: string;
  readonly slot: number;
}

export interface CounterHandle {
  add(n: number): void;
}

export interface GaugeHandle {
  set(value: number): void;
}

export interface HistogramHandle {
  record(value: number): void;
}

export interface ExpressionHandle {
  evaluate(stream: StreamHandle): string | null;
}

/** The host as one configured instance of an extension sees it. */
export interface RootHandle {
  counter(name: string, labels: string[], values: string[]): CounterHandle;
  gauge(name: string, labels: string[], values: string[]): GaugeHandle;
  histogram(name: string, labels: string[], values: string[]): HistogramHandle;
  /** Null: the text does not parse. */
  expression(text: string): ExpressionHandle | null;
  rootString(property: PropertyName): string | null;
  rootNumber(property: PropertyName, missing: number): number;
  /** Nanoseconds since the epoch. */
  now(): number;
  /** Levels: 0 trace, 1 debug, 2 info, 3 warn, 4 error, 5 critical. */
  log(level: number, message: string): void;
  /** Asks for `onTick` every `milliseconds`; 0 stops it. */
  setTickPeriod(milliseconds: number): void;
}

/** The host as one stream of an extension sees it. Header maps: 0 request, 1 its trailers, 2 response, 3 its trailers. */
export interface StreamHandle {
  getString(property: PropertyName): string | null;
  getNumber(property: PropertyName, missing: number): number;
  getHeader(map: number, name: ExtensionHeaderName): string | null;
  headerSize(map: number, name: ExtensionHeaderName): number;
  replaceHeader(map: number, name: ExtensionHeaderName, value: ExtensionHeaderValue): void;
  addHeader(map: number, name: ExtensionHeaderName, value: ExtensionHeaderValue): void;
  removeHeader(map: number, name: ExtensionHeaderName): void;
  /** Answers in place of the upstream. `headers` holds names and values in turn. */
  sendLocalReply(status: number, body: string, headers: string[]): void;
  /** The bytes of a body in its callback. */
  getBody(response: boolean): string;
  /** Only modules can do what follows: in process nothing is held back. */
  setBody(response: boolean, body: string): void;
  resume(response: boolean): void;
  /** 0: the call can't begin. */
  httpCall(cluster: string, headers: string[], body: string, milliseconds: number): number;
  getCallHeader(name: ExtensionHeaderName): string | null;
  getCallBody(): string;
  getState(name: ExtensionStateName): string | null;
  setState(name: ExtensionStateName, value: string): void;
}

/** One configured instance of an extension. */
export interface ExtensionRoot {
  /** False refuses the configuration. */
  onConfigure(configuration: string): boolean;
  createStream(host: StreamHandle): ExtensionStream;
  onTick(): void;
  /** No stream is left and none will come. */
  onClose?(): void;
  /** Of the TCP metadata exchange. */
  readonly frames?: PeerFrames;
}

/** Frames in which two proxies tell each other who they are at the beginning of a TCP connection. Byte strings. */
export interface PeerFrames {
  readonly own: string;
  createReader(): PeerFrameReader;
  /** Whether a peer's metadata fit the identity of its certificate, "" for none. */
  believes(metadata: string, principal: string): boolean;
}

/** Takes the peer's frame off the front of a stream. */
export interface PeerFrameReader {
  /** 0: more is needed, 1: a peer was read, 2: the stream has no frame, 3: it had one that could not be read. */
  readonly state: number;
  /** Whether all bytes to come are the application's. */
  readonly complete: boolean;
  readonly metadata: string;
  readonly id: string;
  /** Takes the next bytes and gives those that are the application's. */
  read(bytes: string): string;
  /** The stream has ended: gives what was held. */
  finish(): string;
}

/** One HTTP stream or TCP connection of an extension. Results: 0 continue, 1 pause. */
export interface ExtensionStream {
  onRequestHeaders(count: number, end: boolean): number;
  onRequestBody(size: number, end: boolean): number;
  onRequestTrailers(count: number): number;
  onResponseHeaders(count: number, end: boolean): number;
  onResponseBody(size: number, end: boolean): number;
  onResponseTrailers(count: number): number;
  onNewConnection(): number;
  onDownstreamData(size: number, end: boolean): number;
  onUpstreamData(size: number, end: boolean): number;
  /** 1: closed by us, 2: by the other side. */
  onDownstreamClose(peer: number): void;
  onUpstreamClose(peer: number): void;
  onLog(): void;
  onDone(): void;
  onDelete(): void;
}

/** Makes an instance; its `onConfigure` follows. */
export type ExtensionFactory = (host: RootHandle) => ExtensionRoot;

/**
 * The extensions that run in process, by the type name of their configuration (`stats.PluginConfig`) or else by the
 * name of the filter (`istio.stats`); those that the null VM of Wasm filters has, by the names that it knows them by
 * (`envoy.wasm.stats`).
 */
export type ExtensionTable = Readonly<Record<string, ExtensionFactory>>;

/** Files of Wasm modules that the proxy brings along, by the paths under which configurations name them. */
export type ModuleTable = Readonly<Record<string, string>>;

/** Type of the configuration of the TCP metadata exchange. */
export const TCP_EXCHANGE = "envoy.tcp.metadataexchange.config.MetadataExchange";
