import type { Clock, Timer } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import type { Expressions } from "../expression/expressions.ts";
import { printed } from "../expression/values.ts";
import type { ListenerFacts } from "../stream/stream-info.ts";
import type { AttributeScope, AttributeSource } from "./attributes/attribute.ts";
import type {
  CounterHandle,
  ExpressionHandle,
  GaugeHandle,
  HistogramHandle,
  PropertyName,
  RootHandle,
  StreamHandle,
} from "./extension.ts";
import type { PropertyTable } from "./property-table.ts";

/** What a root context's host needs of the instance that it belongs to. */
export interface RootOwner {
  readonly clock: Clock;
  readonly metrics: MetricStore;
  readonly properties: PropertyTable;
  readonly expressions: Expressions;
  readonly listener: ListenerFacts;
  readonly scope: AttributeScope;
  log(level: number, message: string): void;
  tick(): void;
}

const LOST: CounterHandle & GaugeHandle & HistogramHandle = { add() {}, set() {}, record() {} };

/** The host as one configured instance of an extension sees it. */
export class RootHost implements RootHandle, AttributeSource {
  readonly #owner: RootOwner;
  #timer: Timer | null = null;
  #closed = false;
  /** True while a stream's callback runs: what is measured there may expire. */
  inStream = false;
  readonly info = null;

  constructor(owner: RootOwner) {
    this.#owner = owner;
  }

  get listener(): ListenerFacts {
    return this.#owner.listener;
  }
  get scope(): AttributeScope {
    return this.#owner.scope;
  }

  counter(name: string, labels: string[], values: string[]): CounterHandle {
    return this.#metric(() => this.#owner.metrics.counter({ name }).series(labels, values));
  }

  gauge(name: string, labels: string[], values: string[]): GaugeHandle {
    return this.#metric(() => this.#owner.metrics.gauge({ name, evictable: this.inStream }).series(labels, values));
  }

  histogram(name: string, labels: string[], values: string[]): HistogramHandle {
    return this.#metric(() => this.#owner.metrics.histogram({ name }).series(labels, values));
  }

  expression(text: string): ExpressionHandle | null {
    const { evaluate, problem } = this.#owner.expressions.compile(text, this.#owner.scope.pluginName);
    if (problem !== undefined) {
      this.#owner.log(3, `the expression "${text}" does not compile: ${problem}`);
      return null;
    }
    // Streams of this host are all of them sources of attributes.
    return { evaluate: (stream) => printed(evaluate(stream as StreamHandle & AttributeSource)) };
  }

  rootString(property: PropertyName): string | null {
    return this.#owner.properties.string(property, this);
  }

  rootNumber(property: PropertyName, missing: number): number {
    return this.#owner.properties.number(property, this, missing);
  }

  now(): number {
    return this.#owner.clock.now() * 1e6;
  }

  log(level: number, message: string): void {
    this.#owner.log(level, message);
  }

  setTickPeriod(milliseconds: number): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (milliseconds > 0 && !this.#closed)
      this.#timer = this.#owner.clock.every(milliseconds, () => this.#owner.tick());
  }

  close(): void {
    this.#closed = true;
    this.setTickPeriod(0);
  }

  /** A name that cannot be used costs the extension its numbers, not its streams. */
  #metric<T>(make: () => T): T | typeof LOST {
    try {
      return make();
    } catch (error) {
      this.#owner.log(4, error instanceof Error ? error.message : String(error));
      return LOST;
    }
  }
}
