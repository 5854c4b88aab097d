import { assemble, moduleText } from "@mixerless/wasm/testing";
import { decodeJson, formatFault } from "@mixerless/wire";
import { FilterSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { type FakeCluster, fakeHost } from "../../http/testing/fake-cluster.ts";
import { routesTo, TestProxy, type TestProxyOptions, textLog } from "../../http/testing/test-proxy.ts";
import { TestTransport } from "../../http/testing/test-transport.ts";
import { createFilterChainFactory, type FilterChainFactory } from "../../network/filter-chain.ts";
import { FilterState } from "../../stream/filter-state.ts";

export interface ChainOptions {
  readonly policy?: string;
  readonly configuration?: string;
  /** Of the TCP proxy. */
  readonly tcp?: object;
  /** In front of the plugins. */
  readonly before?: readonly object[];
  readonly proxy?: TestProxyOptions;
}

/** `envoy.filters.network.wasm` with a module from text. */
export function networkPlugin(name: string, body: string, { policy = "FAIL_CLOSED", configuration = "" } = {}): object {
  const inlineBytes = Buffer.from(assemble(moduleText(body))).toString("base64");
  return {
    name,
    typedConfig: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm",
      config: {
        name,
        configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: configuration },
        failurePolicy: policy,
        vmConfig: { code: { local: { inlineBytes } } },
      },
    },
  };
}

const LOG = textLog("%BYTES_RECEIVED% %BYTES_SENT% %CONNECTION_TERMINATION_DETAILS% %FILTER_STATE(wasm.mark)%");

/** A TCP proxy to the cluster "c" behind network filters. */
export class PluginChain {
  readonly test: TestProxy;
  readonly factory: FilterChainFactory;
  readonly #cluster: FakeCluster;

  constructor(
    filters: readonly object[],
    { tcp = {}, proxy = {} }: ChainOptions = {},
    first: PluginChain | null = null,
  ) {
    this.test = first?.test ?? new TestProxy({ routeConfig: routesTo([]) }, proxy);
    const typedConfig = {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      ...{ statPrefix: "t", cluster: "c", accessLog: [LOG], ...tcp },
    };
    const messages = [...filters, { name: "tcp", typedConfig }].map((json) => {
      const decoded = decodeJson(FilterSchema, json);
      if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join());
      return decoded.message;
    });
    const made = createFilterChainFactory(messages, this.test.context);
    if (!made.ok) throw new Error(made.faults.map(({ path, message }) => `${path}: ${message}`).join("; "));
    this.factory = made.value;
    this.#cluster = first === null ? this.test.clusters.add("c") : first.#cluster;
  }

  /** The chain with other filters, as a listener gets it that has changed. */
  again(filters: readonly object[]): PluginChain {
    return new PluginChain(filters, {}, this);
  }

  /** When its plugins run, or have failed. */
  async settled(): Promise<void> {
    await this.test.context.extensions.settled();
  }

  /** A new connection; the upstream, once there is one, is the test too. */
  accept() {
    const down = new TestTransport();
    let closed = 0;
    const { listener } = this.test.context;
    const network = { transport: down, listener, filterState: new FilterState(), info: null, admission: null };
    const terminal = this.factory.create(network, () => closed++);
    const { tcp } = this.#cluster;
    const dialled = () => tcp.length;
    const connect = () => {
      const up = new TestTransport();
      tcp.at(-1)?.callbacks.onReady(up, fakeHost());
      return up;
    };
    return { down, terminal, dialled, connect, closed: () => closed };
  }

  /** What the plugins have logged as information, without its prefix. */
  get notes(): string[] {
    return this.test.hostLog.filter((line) => line.startsWith("wasm log")).map((line) => line.replace(/^.*?: /, ""));
  }

  close(): void {
    this.factory.close();
  }
}

export async function pluginChain(body: string, options: ChainOptions = {}): Promise<PluginChain> {
  const chain = new PluginChain([...(options.before ?? []), networkPlugin("test", body, options)], options);
  await chain.settled();
  return chain;
}

/** An exported callback with `parameters` numbers. */
export function on(callback: string, parameters: number, body: string, result = ""): string {
  const params = `(param ${"i32 ".repeat(parameters)})`;
  return `(func (export "proxy_on_${callback}") ${params} ${result === "" ? "" : "(result i32)"} ${body} ${result})`;
}

export const GO_ON = "(i32.const 0)";
export const STOP = "(i32.const 1)";

/** Logs a letter and a digit. */
export const NOTE = `(func $note (param $letter i32) (param $digit i32)
  (i32.store8 (i32.const 2000) (local.get $letter))
  (i32.store8 (i32.const 2001) (i32.add (i32.const 48) (local.get $digit)))
  (drop (call $proxy_log (i32.const 2) (i32.const 2000) (i32.const 2))))`;

export function note(letter: string, digit = "(local.get 1)"): string {
  return `(call $note (i32.const ${letter.charCodeAt(0)}) ${digit})`;
}

/** Ends what a plugin's promises of one turn still have to do. */
export function turn(): Promise<void> {
  return Promise.resolve();
}
