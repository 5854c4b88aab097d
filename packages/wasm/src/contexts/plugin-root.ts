import type { Pair } from "../encoding/pairs.ts";
import type { PluginLog } from "../limits/plugin-log.ts";
import type { PluginUsage } from "../limits/usage.ts";
import type { CompiledExpression, GrpcRequest, HttpCallRequest } from "../vm/services.ts";
import type { StateSpan } from "../vm/stream-host.ts";

/** One configured use of a module, as its contexts need to know it. */
export interface PluginFacts {
  readonly name: string;
  readonly rootId: string;
  readonly vmId: string;
  readonly configuration: Buffer;
  /** What the readers of attributes are given where there is no stream. */
  readonly attributes: object | null;
  /** Streams go on without the plugin where it fails. */
  readonly failOpen: boolean;
  /** `StopIteration` of header callbacks means only that, not "stop all". */
  readonly allowHeadersStop: boolean;
  readonly usage: PluginUsage;
  readonly log: PluginLog;
}

/** What `declare_property` fixed for a name. */
export interface DeclaredProperty {
  readonly readOnly: boolean;
  readonly span: StateSpan;
}

/** What an asynchronous answer has brought, while its callback runs. */
export interface CallData {
  readonly headers?: readonly Pair[];
  readonly trailers?: readonly Pair[];
  readonly body?: Buffer;
  readonly initialMetadata?: readonly Pair[];
  readonly trailingMetadata?: readonly Pair[];
  readonly message?: Buffer;
  readonly data?: Buffer;
}

/** Calls that leave the proxy; tokens are per VM. Answers of the methods are statuses. */
export interface Callouts {
  /** Gives the token, or a status as a negative number. */
  httpCall(request: HttpCallRequest): number;
  grpcCall(request: GrpcRequest, message: Buffer): number;
  grpcStream(request: GrpcRequest): number;
  grpcSend(token: number, message: Buffer, endStream: boolean): number;
  grpcClose(token: number): number;
  grpcCancel(token: number): number;
  resolveDns(host: string): number;
}

/** A plugin's context inside a VM, as host calls use it. */
export interface PluginRoot {
  readonly id: number;
  readonly plugin: PluginFacts;
  readonly callouts: Callouts;
  /** Of the last call that failed or ended. */
  status: { readonly code: number; readonly message: string };
  readonly declared: Map<string, DeclaredProperty>;
  readonly expressions: Map<number, CompiledExpression>;
  nextExpression: number;
  /** Milliseconds; 0: no ticks. */
  setTickPeriod(milliseconds: number): void;
  /** Ends what `on_done` has put off; false: nothing has been. */
  finishDone(): boolean;
  onQueueReady(token: number): void;
  /** True inside `on_configure`, where 0.1.0 reads the plugin's configuration. */
  readonly configuring: boolean;
}
