import { readFileSync } from "node:fs";
import { parseAttributePath } from "../../../packages/sdk/dist/index.js";
import { attributeAt } from "../../../packages/sdk/dist/testing/index.js";
import { HttpContext } from "../../../packages/wasm/dist/contexts/http-context.js";
import { RootContext } from "../../../packages/wasm/dist/contexts/root-context.js";
import { TcpContext } from "../../../packages/wasm/dist/contexts/tcp-context.js";
import {
  isFault,
  loadModule,
  pluginConfig,
  resolveLimits,
  splitMetricName,
} from "../../../packages/wasm/dist/index.js";
import { PluginUsage } from "../../../packages/wasm/dist/limits/usage.js";
import { HostMetrics } from "../../../packages/wasm/dist/plugin/host-metrics.js";
import { VmPool } from "../../../packages/wasm/dist/plugin/vm-pool.js";
import { SharedData } from "../../../packages/wasm/dist/shared/shared-data.js";
import { SharedQueues } from "../../../packages/wasm/dist/shared/shared-queues.js";
import { TimedRun } from "../../../packages/wasm/dist/vm/timed-run.js";

const limits = resolveLimits({});
const timed = new TimedRun();
/** The host's own metrics are of no interest here. */
const ignored = { counter: () => noSeries, gauge: () => noSeries };
const noSeries = { series: () => ({ add() {}, set() {} }) };

/**
 * A factory of root contexts, as an extension exports it, that runs the extension's Wasm module in the Wasm host, on the
 * same fake streams as the in-process form.
 */
export async function hostedForm(file) {
  const module = await loadModule(new Uint8Array(readFileSync(file)), limits);
  if (isFault(module)) throw new Error(module.message);
  return (host) => new HostedRoot(module, host);
}

class HostedRoot {
  #module;
  #host;
  #root = null;
  #tick = null;

  constructor(module, host) {
    this.#module = module;
    this.#host = host;
  }

  onConfigure(configuration) {
    const config = pluginConfig("extension", { configuration: Buffer.from(configuration, "latin1") });
    const services = this.#services();
    const shared = { data: new SharedData(), queues: new SharedQueues(() => {}), metrics: this.#metrics() };
    const pool = new VmPool(services, shared, new HostMetrics(ignored), timed);
    const host = this.#host;
    const log = {
      write: (level, _prefix, message) => host.log(level, message) ?? true,
      host: (level, text) => host.log(level, text),
    };
    const usage = new PluginUsage();
    const pooled = pool.acquire({ config, module: this.#module, limits, log, usage }, false);
    if (!("vm" in pooled)) throw new Error(pooled.message);
    this.#root = new RootContext(pooled.vm, { ...config, failOpen: false, log, usage }, pooled.tokens);
    return this.#root.start() === null;
  }

  onTick() {
    this.#tick?.();
  }

  createStream(stream) {
    return new HostedStream(this.#root, stream);
  }

  /** Time and ticks are the fake host's. */
  #services() {
    const host = this.#host;
    const clock = {
      now: () => host.now() / 1e6,
      monotonic: () => host.now() / 1e6,
      after: (delay, callback) => {
        this.#tick = callback;
        host.setTickPeriod(delay);
        return { cancel: () => host.setTickPeriod(0) };
      },
    };
    return {
      clock,
      logLevel: () => 0,
      headerKey: (text) => ({ text }),
      foreign: new Map(),
      attributes: { resolve: (path) => (stream) => plain(this.#attribute(stream, path)) },
      expressions: { compile: (text) => this.#compile(text) },
    };
  }

  #attribute(stream, path) {
    return stream === null ? attributeAt(this.#host.attributes, path) : stream.attribute(path);
  }

  /** Plain paths are CEL too; in process the sdk answers them. `string(…)` only asks for text, which this host gives. */
  #compile(text) {
    const inner = text.startsWith("string(") ? text.slice(7, -1) : text;
    const path = parseAttributePath(inner);
    const expression = path === null ? this.#host.expression(inner) : { evaluate: (s) => printable(s.attribute(path)) };
    if (expression === null) return null;
    return {
      evaluate: (stream) => {
        const value = expression.evaluate(stream);
        if (value === null) throw new Error("no value");
        return value;
      },
    };
  }

  #metrics() {
    const host = this.#host;
    const kinds = ["counter", "gauge", "histogram"];
    return {
      define(kind, full) {
        const { name, labels, values } = splitMetricName(full, []);
        const handle = host[kinds[kind]](name, labels, values);
        const record = (n) => (handle.record ? handle.record(n) : handle.set(n));
        return { metric: { kind, add: (n) => handle.add(n), record, value: 0 }, problem: null };
      },
    };
  }
}

/** A stream of either kind: which one shows at its first event. */
class HostedStream {
  #root;
  #stream;
  #http = null;
  #tcp = null;

  constructor(root, stream) {
    this.#root = root;
    this.#stream = stream;
  }

  onRequestHeaders(_count, end) {
    return this.#asHttp().onRequestHeaders(end);
  }

  onResponseHeaders(_count, end) {
    return this.#asHttp().onResponseHeaders(end);
  }

  onNewConnection() {
    this.#tcp = new TcpContext(this.#root.vm, this.#root, this.#facts(), () => {});
    this.#tcp.onNewConnection();
  }

  onLog() {
    if (this.#tcp === null) this.#asHttp().onLog();
    else this.#run("proxy_on_log");
  }

  onDone() {
    if (this.#tcp === null) this.#asHttp().onDestroy();
    else this.#run("proxy_on_done");
  }

  onDelete() {
    if (this.#tcp !== null) this.#run("proxy_on_delete");
  }

  /** The fake host ends connections in its own order. */
  #run(name) {
    const { vm } = this.#root;
    vm.run(vm.callbacks[name], this.#tcp);
  }

  /** In process the context is made when the stream begins, so here too. */
  #asHttp() {
    if (this.#http === null) {
      this.#http = new HttpContext(this.#root.vm, this.#root, this.#facts(), () => {});
      this.#http.create();
    }
    return this.#http;
  }

  #facts() {
    const stream = this.#stream;
    return {
      attributes: stream,
      headers: (map) => (map === 0 || map === 2 ? new Fields(stream, map) : null),
      getState: (name) => stream.state(name.slice("wasm.".length)),
      setState: (name, value) => stream.overwriteState(name.slice("wasm.".length), value),
      clearRouteCache() {},
    };
  }
}

/** The headers of a fake stream as the Wasm host asks for them. */
class Fields {
  #stream;
  #map;

  constructor(stream, map) {
    this.#stream = stream;
    this.#map = map;
  }

  get #list() {
    return this.#map === 0 ? this.#stream.requestHeaders : this.#stream.responseHeaders;
  }

  get size() {
    return this.#list.length;
  }

  get byteSize() {
    return this.#list.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  }

  getFirst({ text }) {
    return this.#list.find(([name]) => name === text)?.[1] ?? null;
  }

  add({ text }, value) {
    this.#list.push([text, value]);
  }

  set({ text }, value) {
    this.remove({ text });
    this.#list.push([text, value]);
  }

  remove({ text }) {
    const list = this.#list;
    for (let i = list.length - 1; i >= 0; i--) if (list[i][0] === text) list.splice(i, 1);
  }

  forEach(visit) {
    for (const [name, value] of this.#list) visit(name, value);
  }
}

/** In process, objects have no value. */
function plain(value) {
  return typeof value === "object" ? undefined : value;
}

function printable(value) {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}
