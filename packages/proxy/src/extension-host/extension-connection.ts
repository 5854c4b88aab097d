import type { ListenerFacts, StreamInfo } from "../stream/stream-info.ts";
import type { AttributeScope, AttributeSource } from "./attributes/attribute.ts";
import type { ExtensionStateName, ExtensionStream, PropertyName, StreamHandle } from "./extension.ts";
import type { ExtensionInstance } from "./extension-instance.ts";

/** Who closed a connection, as the Wasm ABI numbers it. */
export const ClosedBy = { Us: 1, Peer: 2 } as const;

/** An in-process extension on one TCP connection. It watches: data pass whatever it says. */
export class ExtensionConnection implements StreamHandle, AttributeSource {
  readonly #instance: ExtensionInstance;
  readonly info: StreamInfo;
  /** Null once it has thrown, or where it could not be made. */
  #context: ExtensionStream | null;
  readonly #opened: boolean;

  constructor(info: StreamInfo, instance: ExtensionInstance) {
    this.info = info;
    this.#instance = instance;
    this.#context = instance.openStream(this);
    this.#opened = this.#context !== null;
  }

  get listener(): ListenerFacts {
    return this.info.listener;
  }
  get scope(): AttributeScope {
    return this.#instance.scope;
  }

  onNewConnection(): void {
    this.#call((context) => context.onNewConnection());
  }

  onDownstreamData(size: number, end: boolean): void {
    this.#call((context) => context.onDownstreamData(size, end));
  }

  onUpstreamData(size: number, end: boolean): void {
    this.#call((context) => context.onUpstreamData(size, end));
  }

  onDownstreamClose(peer: number): void {
    this.#call((context) => context.onDownstreamClose(peer));
  }

  onUpstreamClose(peer: number): void {
    this.#call((context) => context.onUpstreamClose(peer));
  }

  /** The connection is over and all its facts are known. The last call. */
  onLog(): void {
    this.#call((context) => {
      context.onDone();
      context.onLog();
      context.onDelete();
    });
    this.#context = null;
    if (this.#opened) this.#instance.streamClosed();
  }

  getString(property: PropertyName): string | null {
    return this.#instance.properties.string(property, this);
  }

  getNumber(property: PropertyName, missing: number): number {
    return this.#instance.properties.number(property, this, missing);
  }

  getState(name: ExtensionStateName): string | null {
    const value = this.info.filterState.get(name.name);
    return typeof value === "string" ? value : null;
  }

  setState(name: ExtensionStateName, value: string): void {
    this.info.filterState.set(name.name, value);
  }

  // A TCP connection has no headers and no bodies, and in process nothing is held back.

  getHeader(): string | null {
    return null;
  }
  headerSize(): number {
    return -1;
  }
  replaceHeader(): void {}
  addHeader(): void {}
  removeHeader(): void {}
  sendLocalReply(): void {}
  getBody(): string {
    return "";
  }
  setBody(): void {}
  resume(): void {}
  httpCall(): number {
    return 0;
  }
  getCallHeader(): string | null {
    return null;
  }
  getCallBody(): string {
    return "";
  }

  #call(callback: (context: ExtensionStream) => void): void {
    if (this.#context === null) return;
    this.#instance.enter();
    try {
      callback(this.#context);
    } catch (error) {
      this.#context = null;
      this.#instance.report(error);
    }
    this.#instance.leave();
  }
}
