import { readFileSync } from "node:fs";
import { HeaderValue, parseAttributePath } from "../../../packages/sdk/dist/index.js";
import { attributeAt } from "../../../packages/sdk/dist/testing/index.js";

const OK = 0;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;
const EVALUATION_FAILED = 10;
const PLUGIN_CONFIGURATION = 7;

/** The root handle's methods by metric type of the ABI. */
const METRICS = ["counter", "gauge", "histogram"];

/**
 * A factory of root contexts, as an extension exports it, that runs the extension's Wasm module on the same fake host as
 * the in-process form. It knows as much of the ABI as the sdk uses; it is no host for real traffic.
 */
export function wasmForm(file) {
  const module = new WebAssembly.Module(readFileSync(file));
  return (host) => new WasmRoot(module, host);
}

class WasmRoot {
  #host;
  #exports;
  #configuration = "";
  #streams = new Map();
  #next = 2;
  #current = 1;
  #metrics = [];
  #expressions = [null];

  constructor(module, host) {
    this.#host = host;
    this.#exports = new WebAssembly.Instance(module, { env: this.#environment() }).exports;
    this.#exports._initialize();
    this.#exports.proxy_on_context_create(1, 0);
  }

  onConfigure(configuration) {
    this.#configuration = configuration;
    this.#exports.proxy_on_vm_start(1, 0);
    const accepted = this.#exports.proxy_on_configure(1, configuration.length) !== 0;
    this.#configuration = null;
    return accepted;
  }

  onTick() {
    this.#call(1, "proxy_on_tick");
  }

  createStream(stream) {
    const id = this.#next++;
    this.#streams.set(id, stream);
    this.#current = id;
    this.#exports.proxy_on_context_create(id, 1);
    const call = (name, ...rest) => this.#call(id, name, ...rest);
    return {
      onRequestHeaders: (count, end) => call("proxy_on_request_headers", count, end ? 1 : 0),
      onResponseHeaders: (count, end) => call("proxy_on_response_headers", count, end ? 1 : 0),
      onNewConnection: () => call("proxy_on_new_connection"),
      onLog: () => call("proxy_on_log"),
      onDone: () => call("proxy_on_done"),
      onDelete: () => {
        call("proxy_on_delete");
        this.#streams.delete(id);
      },
    };
  }

  #call(id, name, ...rest) {
    this.#current = id;
    return this.#exports[name](id, ...rest);
  }

  get #memory() {
    return Buffer.from(this.#exports.memory.buffer);
  }

  #read(at, size) {
    return this.#memory.toString("latin1", at >>> 0, (at >>> 0) + (size >>> 0));
  }

  /** Hands a value over: the module's allocator is asked unless it is empty. */
  #give(text, dataCell, sizeCell) {
    const at = text.length > 0 ? this.#exports.proxy_on_memory_allocate(text.length) : 0;
    const memory = this.#memory;
    memory.write(text, at >>> 0, "latin1");
    memory.writeUInt32LE(at >>> 0, dataCell);
    memory.writeUInt32LE(text.length, sizeCell);
    return OK;
  }

  #giveOrNot(text, dataCell, sizeCell) {
    return text === null ? NOT_FOUND : this.#give(text, dataCell, sizeCell);
  }

  get #stream() {
    return this.#streams.get(this.#current) ?? null;
  }

  #environment() {
    return { ...this.#common(), ...this.#headers(), ...this.#properties(), ...this.#metricCalls() };
  }

  #common() {
    return {
      proxy_log: (level, at, size) => {
        this.#host.log(level, this.#read(at, size));
        return OK;
      },
      proxy_get_current_time_nanoseconds: (cell) => {
        this.#memory.writeBigUInt64LE(BigInt(this.#host.now()), cell);
        return OK;
      },
      proxy_set_tick_period_milliseconds: (period) => {
        this.#host.setTickPeriod(period);
        return OK;
      },
      proxy_set_effective_context: (id) => {
        if (!this.#streams.has(id)) return BAD_ARGUMENT;
        this.#current = id;
        return OK;
      },
      proxy_get_buffer_bytes: (type, start, maximum, data, size) => {
        if (type !== PLUGIN_CONFIGURATION || this.#configuration === null) return NOT_FOUND;
        return this.#give(this.#configuration.substring(start, start + maximum), data, size);
      },
      proxy_call_foreign_function: (name, nameSize, argument, argumentSize, data, size) =>
        this.#foreign(this.#read(name, nameSize), this.#read(argument, argumentSize), data, size),
    };
  }

  #headers() {
    return {
      proxy_get_header_map_value: (map, key, keySize, data, size) =>
        this.#giveOrNot(this.#stream.getHeader(map, { name: this.#read(key, keySize) }), data, size),
      proxy_replace_header_map_value: (map, key, keySize, value, valueSize) => {
        const text = new HeaderValue(this.#read(value, valueSize)).text;
        this.#stream.replaceHeader(map, { name: this.#read(key, keySize) }, { text });
        return OK;
      },
      proxy_remove_header_map_value: (map, key, keySize) => {
        this.#stream.removeHeader(map, { name: this.#read(key, keySize) });
        return OK;
      },
    };
  }

  #properties() {
    return {
      proxy_get_property: (path, pathSize, data, size) =>
        this.#giveOrNot(encode(this.#attribute(this.#read(path, pathSize).split("\0"))), data, size),
      proxy_set_property: (path, pathSize, value, valueSize) => {
        this.#stream.overwriteState(this.#read(path, pathSize), this.#read(value, valueSize));
        return OK;
      },
    };
  }

  #attribute(path) {
    const stream = this.#stream;
    if (stream === null) return attributeAt(this.#host.attributes, path);
    return stream.attribute(path) ?? (path.length === 1 ? stream.state(path[0]) : undefined);
  }

  #metricCalls() {
    return {
      proxy_define_metric: (type, name, nameSize, id) => {
        const parts = this.#read(name, nameSize).split(";.;");
        const pairs = parts
          .slice(0, -1)
          .map((part) => [part.slice(0, part.indexOf("=.=")), part.slice(part.indexOf("=.=") + 3)]);
        const labels = pairs.map((pair) => pair[0]);
        const values = pairs.map((pair) => pair[1]);
        this.#metrics.push(this.#host[METRICS[type]](parts.at(-1), labels, values));
        this.#memory.writeUInt32LE(this.#metrics.length - 1, id);
        return OK;
      },
      proxy_increment_metric: (id, offset) => {
        if (offset <= 0n) return BAD_ARGUMENT;
        this.#metrics[id].add(Number(offset));
        return OK;
      },
      proxy_record_metric: (id, value) => {
        const handle = this.#metrics[id];
        const number = Number(BigInt.asUintN(64, value));
        if (handle.record) handle.record(number);
        else handle.set(number);
        return OK;
      },
    };
  }

  #foreign(name, argument, data, size) {
    if (name === "expr_create") return this.#createExpression(argument, data, size);
    if (name !== "expr_evaluate") return NOT_FOUND;
    const expression = this.#expressions[Buffer.from(argument, "latin1").readUInt32LE(0)];
    const text = expression?.evaluate(this.#stream) ?? null;
    return text === null ? EVALUATION_FAILED : this.#give(text, data, size);
  }

  /** Plain paths are CEL too; in process the sdk answers them. `string(…)` only asks for text, which this host gives. */
  #createExpression(text, data, size) {
    const plain = text.startsWith("string(") ? text.slice(7, -1) : text;
    const path = parseAttributePath(plain);
    const printed = (stream) => printable(stream.attribute(path));
    const expression = path === null ? this.#host.expression(plain) : { evaluate: printed };
    if (expression === null) return BAD_ARGUMENT;
    this.#expressions.push(expression);
    const token = Buffer.alloc(4);
    token.writeUInt32LE(this.#expressions.length - 1);
    return this.#give(token.toString("latin1"), data, size);
  }
}

function printable(value) {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** As the ABI encodes properties; null for what it has no encoding for here. */
function encode(value) {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "\x01" : "\x00";
  if (typeof value !== "number") return null;
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes.toString("latin1");
}
