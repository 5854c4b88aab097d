import type { RootContext } from "../native/context.ts";
import {
  type CounterHandle,
  ExpressionHandle,
  type GaugeHandle,
  type HistogramHandle,
  RootHandle,
  type StreamHandle,
} from "../native/handles.ts";
import type { Property } from "../native/names.ts";
import { type Attribute, attributeAt, attributeNumber, attributeText } from "./attributes.ts";
import { FakeMetrics } from "./fake-metrics.ts";
import { type FakeTimer, FakeTimers } from "./fake-timers.ts";
import { createPathExpression } from "./path-expression.ts";

/** What a fake CEL expression gives for a stream; null where evaluation fails. */
export type Evaluator = (stream: StreamHandle) => string | null;

class FakeExpression extends ExpressionHandle {
  readonly #evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    super();
    this.#evaluator = evaluator;
  }

  evaluate(stream: StreamHandle): string | null {
    return this.#evaluator(stream);
  }
}

/** What a fake root knows. */
export interface FakeRootOptions {
  /** Properties that need no stream, e.g. `{ xds: { node: …, listener_direction: 1 } }`. */
  readonly attributes: Attribute;
  /** Expressions by their text; null for one that does not parse. Others parse; they read an attribute or never evaluate. */
  readonly expressions?: Readonly<Record<string, Evaluator | null>>;
  /** Where its series go; a store of its own by default. */
  readonly metrics?: FakeMetrics;
}

/** A host of one root context under virtual time. */
export class FakeRoot extends RootHandle {
  /** What was counted. */
  readonly metrics: FakeMetrics;
  /** Everything that was logged, as `level: message`. */
  readonly logs: string[] = [];
  /** Properties that need no stream. */
  readonly attributes: Attribute;
  readonly #expressions: Readonly<Record<string, Evaluator | null>>;
  #context: RootContext | null = null;
  readonly #timers = new FakeTimers();
  #period = 0;
  #tick: FakeTimer | null = null;

  constructor(options: FakeRootOptions) {
    super();
    this.metrics = options.metrics ?? new FakeMetrics();
    this.attributes = options.attributes;
    this.#expressions = options.expressions ?? {};
  }

  /** The context whose `onTick` is called. */
  attach(context: RootContext): void {
    this.#context = context;
  }

  /** Milliseconds between ticks; 0 if none are due. */
  get tickPeriod(): number {
    return this.#period;
  }

  /** Lets `milliseconds` pass, with every tick and everything else that falls due. */
  advance(milliseconds: number): void {
    this.#timers.advance(milliseconds);
  }

  /** Calls `callback` once, when `milliseconds` have passed. */
  after(milliseconds: number, callback: () => void): FakeTimer {
    return this.#timers.after(milliseconds, callback);
  }

  counter(name: string, labels: string[], values: string[]): CounterHandle {
    return this.metrics.counter(name, labels, values);
  }

  gauge(name: string, labels: string[], values: string[]): GaugeHandle {
    return this.metrics.gauge(name, labels, values);
  }

  histogram(name: string, labels: string[], values: string[]): HistogramHandle {
    return this.metrics.histogram(name, labels, values);
  }

  expression(text: string): ExpressionHandle | null {
    const evaluator = this.#expressions[text];
    if (evaluator === null) return null;
    if (evaluator !== undefined) return new FakeExpression(evaluator);
    return createPathExpression(text) ?? new FakeExpression(() => null);
  }

  rootString(property: Property): string | null {
    return attributeText(attributeAt(this.attributes, property.path));
  }

  rootNumber(property: Property, missing: number): number {
    return attributeNumber(attributeAt(this.attributes, property.path), missing);
  }

  now(): number {
    return this.#timers.now * 1_000_000;
  }

  log(level: number, message: string): void {
    this.logs.push(`${level}: ${message}`);
  }

  setTickPeriod(milliseconds: number): void {
    this.#tick?.cancel();
    this.#period = milliseconds;
    if (milliseconds > 0) this.#awaitTick(this.#timers.now + milliseconds);
  }

  #awaitTick(at: number): void {
    this.#tick = this.#timers.at(at, () => {
      this.#awaitTick(at + this.#period);
      this.#context?.onTick();
    });
  }
}
