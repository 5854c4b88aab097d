import type { Clock, Timer } from "@mixerless/clock";
import { parseAttributePath } from "@mixerless/sdk";
import { type Attribute, attributeAt, type FakeRoot, type FakeStream } from "@mixerless/sdk/testing";
import {
  type CompiledExpression,
  MetricKind,
  type MetricTable,
  type PluginMetric,
  type PluginServices,
  type PropertyValue,
  splitMetricName,
} from "@mixerless/wasm";

/** What a proxy hands to its plugins, answered by a fake root. Time is the fake root's. */
export function fakeServices(root: FakeRoot, http: PluginServices["http"]): PluginServices {
  return {
    clock: clockOf(root),
    logLevel: () => 0,
    log: ({ level, text }) => root.log(level, text.replace(/^wasm log [^:]*: /, "")),
    headerKey: (text) => ({ text }),
    foreign: new Map(),
    attributes: { resolve: (path) => (stream) => plain(attribute(root, stream, path)) },
    expressions: { compile: (text) => compile(root, text) },
    http,
    grpc: { hasCluster: () => false, open: () => null },
    dns: { resolve: () => ({ cancel() {} }) },
  };
}

function clockOf(root: FakeRoot): Clock {
  const now = () => root.now() / 1e6;
  return {
    now,
    monotonic: now,
    after: (delay, callback) => root.after(delay, callback),
    every: (interval, callback) => repeat(root, interval, callback),
  };
}

function repeat(root: FakeRoot, interval: number, callback: () => void): Timer {
  let timer: Timer;
  const next = () => {
    timer = root.after(interval, () => {
      next();
      callback();
    });
  };
  next();
  return { cancel: () => timer.cancel() };
}

function attribute(root: FakeRoot, stream: object | null, path: readonly string[]): Attribute | undefined {
  return isFakeStream(stream) ? stream.attribute(path) : attributeAt(root.attributes, path);
}

/** Plain paths are CEL too. `string(…)` only asks for text, which this host gives anyway. */
function compile(root: FakeRoot, text: string): CompiledExpression | null {
  const inner = text.startsWith("string(") ? text.slice("string(".length, -1) : text;
  const path = parseAttributePath(inner);
  if (path !== null) return { evaluate: (stream) => plain(attribute(root, stream, path)) };
  const expression = root.expression(inner);
  if (expression === null) return null;
  return {
    evaluate: (stream) => {
      const value = isFakeStream(stream) ? expression.evaluate(stream) : null;
      if (value === null) throw new Error("no value");
      return value;
    },
  };
}

/** A plugin's tests may have loaded the SDK's files a second time, so its class says nothing. */
function isFakeStream(stream: object | null): stream is FakeStream {
  return stream !== null && "attribute" in stream;
}

/** Objects have no value in process, so they have none here. */
function plain(value: Attribute | undefined): PropertyValue {
  return typeof value === "object" ? undefined : value;
}

/** The series of a fake root, as a Wasm host defines them. */
export class FakeHostMetrics implements MetricTable {
  readonly #root: FakeRoot;

  constructor(root: FakeRoot) {
    this.#root = root;
  }

  define(kind: number, full: string): { readonly metric: PluginMetric; readonly problem: null } {
    const { name, labels, values } = splitMetricName(full, []);
    const handle = this.#series(kind, name, [...labels], [...values]);
    return { metric: { kind, add: handle, record: handle, value: 0 }, problem: null };
  }

  /** Counters add, gauges take, histograms record. */
  #series(kind: number, name: string, labels: string[], values: string[]): (n: number) => void {
    if (kind === MetricKind.Counter) {
      const counter = this.#root.counter(name, labels, values);
      return (n) => counter.add(n);
    }
    if (kind === MetricKind.Gauge) {
      const gauge = this.#root.gauge(name, labels, values);
      return (n) => gauge.set(n);
    }
    const histogram = this.#root.histogram(name, labels, values);
    return (n) => histogram.record(n);
  }
}
