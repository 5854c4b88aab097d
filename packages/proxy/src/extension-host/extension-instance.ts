import type { Clock } from "@mixerless/clock";
import type { Counter, MetricStore } from "@mixerless/metrics";
import type { Expressions } from "../expression/expressions.ts";
import type { ListenerFacts } from "../stream/stream-info.ts";
import type { AttributeScope } from "./attributes/attribute.ts";
import type { ExtensionFactory, ExtensionRoot, ExtensionStream, PeerFrames, StreamHandle } from "./extension.ts";
import type { PropertyTable } from "./property-table.ts";
import { RootHost, type RootOwner } from "./root-host.ts";

/** What instances use of the host. */
export interface InstanceParts {
  readonly clock: Clock;
  readonly metrics: MetricStore;
  readonly properties: PropertyTable;
  readonly expressions: Expressions;
  readonly listener: ListenerFacts;
  readonly scope: AttributeScope;
  readonly log: (level: number, message: string) => void;
}

const LOG_LIMIT = 1000;
/** Milliseconds between two log lines about errors of one instance. */
const ERROR_LOG_INTERVAL = 1000;

/**
 * One configuration of one extension. What it throws is caught and counted; the stream goes on without it. Ticks go
 * on after {@link close} until the last of its streams has ended.
 */
export class ExtensionInstance implements RootOwner {
  readonly #parts: InstanceParts;
  readonly #errors: Counter;
  readonly #host: RootHost;
  #root: ExtensionRoot | null = null;
  #streams = 0;
  #closing = false;
  #lastErrorLog = Number.NEGATIVE_INFINITY;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    const labels = { names: ["extension"], values: [parts.scope.pluginName] };
    this.#errors = parts.metrics
      .counter({
        name: "mixerless_extension_errors_total",
        help: "Errors thrown by in-process extensions.",
        evictable: false,
      })
      .series(labels.names, labels.values);
    this.#host = new RootHost(this);
  }

  /** False where the extension refuses the configuration, or fails over it. `configuration` is a byte string. */
  start(factory: ExtensionFactory, configuration: string): boolean {
    try {
      const root = factory(this.#host);
      if (!root.onConfigure(configuration)) return false;
      this.#root = root;
      return true;
    } catch (error) {
      this.report(error);
      return false;
    }
  }

  get clock(): Clock {
    return this.#parts.clock;
  }
  get metrics(): MetricStore {
    return this.#parts.metrics;
  }
  get properties(): PropertyTable {
    return this.#parts.properties;
  }
  get expressions(): Expressions {
    return this.#parts.expressions;
  }
  get listener(): ListenerFacts {
    return this.#parts.listener;
  }
  get scope(): AttributeScope {
    return this.#parts.scope;
  }

  /** Null for an extension that is no TCP metadata exchange. */
  get frames(): PeerFrames | null {
    return this.#root?.frames ?? null;
  }

  /** Null where the extension fails to make one. */
  openStream(handle: StreamHandle): ExtensionStream | null {
    if (this.#root === null) return null;
    this.#host.inStream = true;
    try {
      const stream = this.#root.createStream(handle);
      this.#streams++;
      return stream;
    } catch (error) {
      this.report(error);
      return null;
    } finally {
      this.#host.inStream = false;
    }
  }

  /** Brackets every callback of a stream. */
  enter(): void {
    this.#host.inStream = true;
  }

  leave(): void {
    this.#host.inStream = false;
  }

  streamClosed(): void {
    this.#streams--;
    if (this.#closing && this.#streams === 0) this.#end();
  }

  /** Counts an error of the extension. */
  report(error: unknown): void {
    this.#errors.add(1);
    const now = this.clock.monotonic();
    if (now - this.#lastErrorLog < ERROR_LOG_INTERVAL) return;
    this.#lastErrorLog = now;
    this.log(4, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  log(level: number, message: string): void {
    this.#parts.log(level, `${this.scope.pluginName}: ${message.slice(0, LOG_LIMIT)}`);
  }

  tick(): void {
    try {
      this.#root?.onTick();
    } catch (error) {
      this.report(error);
    }
  }

  /** No further stream will be opened. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#streams === 0) this.#end();
  }

  #end(): void {
    this.#host.close();
    try {
      this.#root?.onClose?.();
    } catch (error) {
      this.report(error);
    }
  }
}
