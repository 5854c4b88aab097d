import type { Clock } from "@mixerless/clock";
import type { PropertyValue } from "../encoding/property-value.ts";
import type { HeaderKey } from "./stream-host.ts";

/** Reads one attribute. `stream` is what the stream's host calls its attributes, or in a root context what the plugin's configuration does. */
export type AttributeReader = (stream: object | null) => PropertyValue;

/** The attribute vocabulary of the proxy [proxy-wasm §9]. */
export interface Attributes {
  /** The reader of a path, kept by the caller; null: there is no such attribute. Paths come from plugins. */
  resolve(path: readonly string[]): AttributeReader | null;
}

/** Compiles CEL over the same attributes. */
export interface Expressions {
  /** Null: not a valid expression. */
  compile(text: string): CompiledExpression | null;
}

export interface CompiledExpression {
  /** Throws where the evaluation fails, as for a division by zero. */
  evaluate(stream: object | null): PropertyValue;
}

export type Headers = readonly (readonly [name: string, value: string])[];

export interface HttpCallRequest {
  readonly cluster: string;
  /** Pseudo-headers among them; names in lower case. */
  readonly headers: Headers;
  readonly body: Buffer;
  readonly trailers: Headers;
  /** Milliseconds; 0: none. */
  readonly timeout: number;
}

export interface HttpCallResponse {
  /** `:status` first. */
  readonly headers: Headers;
  readonly body: Buffer;
  readonly trailers: Headers;
}

/** Something that runs and can be given up. Nothing is reported after that. */
export interface Cancellable {
  cancel(): void;
}

/** Calls to clusters [proxy-wasm §8.6]. A time-out is a response of status 504, a failed connection one of 503. */
export interface HttpCallClient {
  hasCluster(name: string): boolean;
  /** Calls `done` exactly once, at once or later, with null for a reset; null is returned where the call can't begin. */
  call(request: HttpCallRequest, done: (response: HttpCallResponse | null) => void): Cancellable | null;
}

export interface GrpcTarget {
  readonly cluster: string;
  /** Of the request; empty: the cluster's name. */
  readonly authority: string;
}

export interface GrpcRequest {
  readonly target: GrpcTarget;
  readonly service: string;
  readonly method: string;
  readonly metadata: Headers;
  /** Milliseconds; 0: none. */
  readonly timeout: number;
}

export interface GrpcEvents {
  onInitialMetadata(metadata: Headers): void;
  /** A message without its frame. */
  onMessage(message: Buffer): void;
  onTrailingMetadata(metadata: Headers): void;
  /** The last event. */
  onClose(status: number, message: string): void;
}

export interface GrpcStream extends Cancellable {
  send(message: Buffer, endStream: boolean): void;
  /** Ends this side without a message. */
  end(): void;
}

/** gRPC calls to clusters [proxy-wasm §8.7]. */
export interface GrpcClient {
  hasCluster(name: string): boolean;
  /** Null: the stream can't begin. */
  open(request: GrpcRequest, events: GrpcEvents): GrpcStream | null;
}

export interface DnsAnswer {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface DnsResolver {
  /** Calls `done` once, later; an empty list is a failure. */
  resolve(host: string, done: (answers: readonly DnsAnswer[]) => void): Cancellable;
}

export interface ForeignResult {
  readonly status: number;
  /** Byte string. */
  readonly result: string;
}

/** A function that plugins can call by name. `stream` as for attributes. */
export type ForeignFunction = (argument: Buffer, stream: object | null) => ForeignResult;

export interface PluginLogEntry {
  /** 0 trace to 5 critical. */
  readonly level: number;
  readonly text: string;
  readonly plugin: string;
}

/** What the proxy hands to every plugin. */
export interface PluginServices {
  readonly clock: Clock;
  /** The lowest level that is logged, 0 to 5; 6 is off. */
  logLevel(): number;
  log(entry: PluginLogEntry): void;
  readonly attributes: Attributes;
  /** Names come from plugins: their number is bounded by who asks, but they may be any. */
  headerKey(name: string): HeaderKey;
  readonly expressions: Expressions;
  readonly http: HttpCallClient;
  readonly grpc: GrpcClient;
  readonly dns: DnsResolver;
  /** Beside those of the host itself; a name that both have is the proxy's. */
  readonly foreign: ReadonlyMap<string, ForeignFunction>;
}
