import { FlowResult, type StateSpan, type TcpContext, type TcpStreamHost } from "@mixerless/wasm";
import type { AttributeScope, AttributeSource } from "../extension-host/attributes/attribute.ts";
import type { ConnectionFilter, FilteredBy } from "../network/connection-filter.ts";
import type { ListenerFacts, StreamInfo } from "../stream/stream-info.ts";

/** A Wasm plugin on one TCP connection. */
export class PluginConnection implements ConnectionFilter, TcpStreamHost, AttributeSource {
  readonly info: StreamInfo;
  readonly scope: AttributeScope;
  readonly #connection: FilteredBy;
  /** Null: no version of the plugin works, and connections must not go on without it. */
  #context: TcpContext | null = null;

  constructor(info: StreamInfo, scope: AttributeScope, connection: FilteredBy) {
    this.info = info;
    this.scope = scope;
    this.#connection = connection;
  }

  attach(context: TcpContext): void {
    this.#context = context;
  }

  onNewConnection(): boolean {
    if (this.#context !== null) return this.#context.onNewConnection() === FlowResult.Continue;
    this.close("wasm_fail_stream");
    return false;
  }

  onRead(bytes: Buffer, end: boolean): Buffer | null {
    return this.#context?.onDownstreamData(bytes, end) === FlowResult.Continue ? this.#context.takeDownstream() : null;
  }

  onWrite(bytes: Buffer, end: boolean): Buffer | null {
    return this.#context?.onUpstreamData(bytes, end) === FlowResult.Continue ? this.#context.takeUpstream() : null;
  }

  takeRead(): Buffer {
    return this.#context?.takeDownstream() ?? Buffer.alloc(0);
  }

  takeWrite(): Buffer {
    return this.#context?.takeUpstream() ?? Buffer.alloc(0);
  }

  get full(): boolean {
    return this.#context?.downstreamFull ?? false;
  }

  onClosed(byPeer: boolean): void {
    this.#context?.onDownstreamClose(byPeer);
  }

  // The connection as the plugin's host asks for it.

  get attributes(): object {
    return this;
  }
  get listener(): ListenerFacts {
    return this.info.listener;
  }

  continueDownstream(): void {
    this.#connection.resume(this);
  }

  continueUpstream(): void {
    this.#connection.resumeWrites(this);
  }

  close(details: string): void {
    this.#connection.close(details);
  }

  getState(name: string): string | null {
    const value = this.info.filterState.get(name);
    return typeof value === "string" ? value : null;
  }

  setState(name: string, value: string, span: StateSpan): void {
    this.info.filterState.replace(name, value, span === "connection");
  }
}
