import { DeadlineWheel, VirtualClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { decodeJson, formatFault } from "@mixerless/wire";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import type { AccessLogSink } from "../../access-log/sink.ts";
import { FilterConfigs } from "../../config/filter-configs.ts";
import { Expressions } from "../../expression/expressions.ts";
import type { StateReaderTable } from "../../expression/state-reader.ts";
import { StreamExpressions } from "../../expression/stream-expressions.ts";
import type { ExtensionTable, ModuleTable } from "../../extension-host/extension.ts";
import { ExtensionHost } from "../../extension-host/extension-host.ts";
import { createGrpcClient } from "../../grpc/create-grpc-client.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { NetworkTerminal } from "../../network/network-filter.ts";
import { FilterState } from "../../stream/filter-state.ts";
import type { ListenerFacts } from "../../stream/stream-info.ts";
import type { TlsInfo } from "../../transport/transport.ts";
import type { ModuleSource } from "../../wasm/module-source.ts";
import {
  createHttpConnectionManagerFactory,
  type HttpConnectionManagerFactory,
} from "../connection-manager/factory.ts";
import { compileRouteTable, type RouteTable } from "../routing/route-table.ts";
import { FakeClusters } from "./fake-cluster.ts";
import { fakeConnectionInfo, idleTransport } from "./fake-connection.ts";
import { type FakeExchange, FakeServerConnection, type Fields } from "./fake-server-codec.ts";

export const ROUTER = {
  name: "envoy.filters.http.router",
  typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
};

/** A route configuration with one virtual host for every name. */
export function routesTo(routes: readonly unknown[], host: object = {}, table: object = {}): object {
  return { name: "routes", virtualHosts: [{ name: "all", domains: ["*"], routes, ...host }], ...table };
}

export function decodeManager(json: object): HttpConnectionManager {
  const decoded = decodeJson(HttpConnectionManagerSchema, { statPrefix: "test", httpFilters: [ROUTER], ...json });
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  return decoded.message;
}

export function compileRoutes(json: object): RouteTable {
  const decoded = decodeJson(RouteConfigurationSchema, json);
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  const table = compileRouteTable(decoded.message, new VirtualClock());
  if (!table.ok) throw new Error(table.faults.map((fault) => `${fault.path}: ${fault.message}`).join("\n"));
  return table.value;
}

export interface TestProxyOptions {
  readonly extensions?: ExtensionTable;
  readonly ownModules?: ModuleTable;
  readonly states?: StateReaderTable;
  readonly node?: Readonly<Record<string, unknown>>;
  readonly listener?: Partial<ListenerFacts>;
  readonly random?: () => number;
  readonly tls?: TlsInfo;
  readonly remote?: string;
  readonly modules?: ModuleSource;
}

/** A connection manager with nothing real around it: fake codec, fake clusters, virtual time. */
export class TestProxy {
  readonly clock = new VirtualClock();
  readonly wheel = new DeadlineWheel(this.clock, 1);
  readonly clusters = new FakeClusters();
  readonly filterConfigs = new FilterConfigs();
  readonly metrics = new MetricStore({ clock: this.clock });
  readonly tables = new Map<string, RouteTable>();
  /** Lines by path. */
  readonly logs: Record<string, string[]> = {};
  readonly hostLog: string[] = [];
  readonly context: FilterChainContext;
  readonly factory: HttpConnectionManagerFactory;
  readonly #options: TestProxyOptions;
  /** The newest; older ones may go. */
  #connection: FakeServerConnection | null = null;
  closed = 0;

  constructor(manager: object, options: TestProxyOptions = {}) {
    this.#options = options;
    let ids = 0;
    const expressions = new Expressions(this.metrics, options.states);
    const listener = { name: "test", direction: 2, filterChainName: "chain", metadata: {}, ...options.listener };
    this.context = {
      clock: this.clock,
      wheel: this.wheel,
      clusters: this.clusters,
      routes: { get: (name) => this.tables.get(name) ?? null },
      filterConfigs: this.filterConfigs,
      listener,
      bufferLimit: null,
      accessLogs: { file: (path) => this.#sink(path) },
      metrics: this.metrics,
      expressions: new StreamExpressions(expressions, options.node ?? {}),
      extensions: new ExtensionHost(options.extensions ?? {}, {
        expressions,
        grpc: createGrpcClient(this.clusters, this.clock),
        clock: this.clock,
        metrics: this.metrics,
        node: options.node ?? {},
        modules: options.modules,
        ownModules: options.ownModules,
        log: (_level, message) => this.hostLog.push(message),
      }),
      createServerConnection: (transport, callbacks) => {
        const connection = new FakeServerConnection(transport.connection, callbacks);
        this.#connection = connection;
        return connection;
      },
      random: options.random ?? (() => 0.5),
      uuid: () => `uuid-${++ids}`,
    };
    const factory = createHttpConnectionManagerFactory(decodeManager(manager), this.context);
    if (!factory.ok) throw new Error(factory.faults.map((fault) => `${fault.path}: ${fault.message}`).join("\n"));
    this.factory = factory.value;
  }

  connect(): { readonly codec: FakeServerConnection; readonly terminal: NetworkTerminal } {
    const info = fakeConnectionInfo(this.#options.tls ?? null, this.#options.remote);
    const network = {
      transport: idleTransport(info),
      listener: this.context.listener,
      filterState: new FilterState(),
      info: null,
      admission: null,
    };
    const terminal = this.factory.create(network, () => this.closed++);
    const codec = this.#connection;
    if (codec === null) throw new Error("no codec was made");
    return { codec, terminal };
  }

  /** A request on a connection of its own. */
  request(fields: Fields = {}, endStream = true): FakeExchange {
    const all = { ":method": "GET", ":path": "/", ":authority": "reviews", ":scheme": "http", ...fields };
    return this.connect().codec.request(all, endStream);
  }

  log(path = "log"): string[] {
    return this.logs[path] ?? [];
  }

  #sink(path: string): AccessLogSink {
    this.logs[path] ??= [];
    const lines = this.logs[path];
    return { write: (line) => lines?.push(line) };
  }
}

/** An access log to the sink `log` with a text format. */
export function textLog(format: string, filter?: object): object {
  return {
    name: "envoy.access_loggers.file",
    ...(filter === undefined ? {} : { filter }),
    typedConfig: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
      path: "log",
      logFormat: { textFormatSource: { inlineString: format } },
    },
  };
}

/** `code flags details`, the three that tell how a request ended. */
export const OUTCOME_LOG = textLog("%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%");
