import type { Any } from "@bufbuild/protobuf/wkt";
import type { Clock } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import { toJson, unpackAny } from "@mixerless/wire";
import type { Expressions } from "../expression/expressions.ts";
import type { GrpcClient } from "../grpc/grpc-client.ts";
import type { HttpFilterFactory } from "../http/http-filter.ts";
import { addFaults, type ConfigFault } from "../network/config-fault.ts";
import { openTypedStruct } from "../network/configured-type.ts";
import type { ListenerFacts, StreamInfo } from "../stream/stream-info.ts";
import type { ClusterManager } from "../upstream/cluster.ts";
import type { ModuleSource } from "../wasm/module-source.ts";
import type { PluginLine } from "../wasm/plugin-lines.ts";
import type { PluginReport } from "../wasm/plugin-status.ts";
import { WasmPlugins } from "../wasm/wasm-plugins.ts";
import { type AttributeScope, byteString, type NodeFacts } from "./attributes/attribute.ts";
import {
  type ExtensionFactory,
  type ExtensionTable,
  type ModuleTable,
  type PeerFrames,
  TCP_EXCHANGE,
} from "./extension.ts";
import { ExtensionConnection } from "./extension-connection.ts";
import { ExtensionFilter } from "./extension-filter.ts";
import { ExtensionInstance } from "./extension-instance.ts";
import { HeaderNameTable } from "./header-name-table.ts";
import { PropertyTable } from "./property-table.ts";

export interface ExtensionHostOptions {
  readonly clock: Clock;
  readonly metrics: MetricStore;
  readonly node: NodeFacts;
  /** Levels: 0 trace, 1 debug, 2 info, 3 warn, 4 error, 5 critical. */
  readonly log: (level: number, message: string) => void;
  /** Sizes of messages as Wasm filters see them (headers and body) instead of all bytes on the wire [decision 5]. */
  readonly messageSizes?: boolean;
  readonly expressions: Expressions;
  /** Where Wasm modules come from that are somewhere else; left out, from nowhere. */
  readonly modules?: ModuleSource | undefined;
  readonly grpc: GrpcClient;
  /** Modules that the proxy brings along. */
  readonly ownModules?: ModuleTable | undefined;
  /** Called when a Wasm plugin has come to work for the first time, or has failed to. */
  readonly onPluginStarted?: () => void;
}

/** What the names of the null VM begin with; in filters' names it means nothing. */
const NULL_VM = "envoy.wasm.";

/** An extension of the table that a configuration named. */
export interface FoundExtension {
  readonly name: string;
  readonly factory: ExtensionFactory;
}

/** Makes the extension of each TCP connection of a filter chain. */
export interface ConnectionExtensionFactory {
  create(info: StreamInfo): ExtensionConnection;
  close(): void;
}

/**
 * Runs the extensions of a table in this process. One per proxy. A changed configuration makes another instance: new
 * streams use it, those that run finish on the one that they began with, and both add to the same series.
 */
export class ExtensionHost {
  readonly #table: ExtensionTable;
  readonly #options: ExtensionHostOptions;
  readonly #properties = new PropertyTable();
  readonly #names = new HeaderNameTable();
  #plugins: WasmPlugins | null = null;

  constructor(table: ExtensionTable, options: ExtensionHostOptions) {
    this.#table = table;
    this.#options = options;
  }

  /** What the streams of one plugin have in common. */
  scope(pluginName: string): AttributeScope {
    const { node, messageSizes } = this.#options;
    return { node, pluginName, messageSizes: messageSizes ?? false };
  }

  get fetchesModules(): boolean {
    return this.#options.modules !== undefined;
  }

  /** The Wasm plugins of the proxy, which run beside the extensions of the table. */
  plugins(clusters: ClusterManager): WasmPlugins {
    const { modules = null, onPluginStarted: onStarted = () => {} } = this.#options;
    this.#plugins ??= new WasmPlugins({ ...this.#options, modules, onStarted, clusters });
    return this.#plugins;
  }

  /** How each Wasm plugin is, at each place. */
  pluginReports(): PluginReport[] {
    return this.#plugins?.reports() ?? [];
  }

  /** The last lines of a Wasm plugin's log; null: nothing was heard of it. */
  pluginLines(name: string): readonly PluginLine[] | null {
    return this.#plugins?.lines(name) ?? null;
  }

  /** When every Wasm plugin that was configured by now runs, or has failed. */
  async settled(): Promise<void> {
    await this.#plugins?.settled();
  }

  /** By the type of the configuration first, since two filters of one name may differ in it; else by the filter's name. */
  find(typeName: string, filterName: string): FoundExtension | null {
    const factory = this.#factory(typeName) ?? (filterName.startsWith(NULL_VM) ? null : this.#factory(filterName));
    return factory === null ? null : { name: filterName, factory };
  }

  /** What the null VM of a Wasm filter runs by a name such as `envoy.wasm.stats`; null: nothing. */
  builtIn(name: string, pluginName: string): FoundExtension | null {
    const factory = name.startsWith(NULL_VM) ? this.#factory(name) : null;
    return factory === null ? null : { name: pluginName, factory };
  }

  /** The file of a module: of one that the proxy brings along, wherever its path points to. */
  moduleFile(path: string): string {
    const { ownModules = {} } = this.#options;
    return (Object.hasOwn(ownModules, path) ? ownModules[path] : undefined) ?? path;
  }

  #factory(key: string): ExtensionFactory | null {
    return (Object.hasOwn(this.#table, key) ? this.#table[key] : undefined) ?? null;
  }

  /** Null after adding faults. */
  httpFilter(
    extension: FoundExtension,
    config: Any,
    listener: ListenerFacts,
    path: string,
    faults: ConfigFault[],
  ): HttpFilterFactory | null {
    const text = configurationText(config, path, faults);
    return text === null ? null : this.pluginFilter(extension, text, listener, path, faults);
  }

  /** As {@link httpFilter}, of a configuration that is text already, as Wasm plugins have it: a byte string. */
  pluginFilter(
    extension: FoundExtension,
    configuration: string,
    listener: ListenerFacts,
    path: string,
    faults: ConfigFault[],
  ): HttpFilterFactory | null {
    const instance = this.#start(extension, configuration, listener, path, faults);
    if (instance === null) return null;
    const names = this.#names;
    return {
      create: (stream) => new ExtensionFilter(stream, instance, names),
      close: () => instance.close(),
    };
  }

  /** Null after adding faults. */
  networkFilter(
    extension: FoundExtension,
    config: Any,
    listener: ListenerFacts,
    path: string,
    faults: ConfigFault[],
  ): ConnectionExtensionFactory | null {
    const text = configurationText(config, path, faults);
    return text === null ? null : this.pluginObserver(extension, text, listener, path, faults);
  }

  /** As {@link networkFilter}, of a configuration that is text already. */
  pluginObserver(
    extension: FoundExtension,
    configuration: string,
    listener: ListenerFacts,
    path: string,
    faults: ConfigFault[],
  ): ConnectionExtensionFactory | null {
    const instance = this.#start(extension, configuration, listener, path, faults);
    if (instance === null) return null;
    return {
      create: (info) => new ExtensionConnection(info, instance),
      close: () => instance.close(),
    };
  }

  /** The TCP metadata exchange; null where there is none, or after adding faults. */
  peerFrames(config: Any, listener: ListenerFacts, path: string, faults: ConfigFault[]): PeerFrames | null {
    const extension = this.find(TCP_EXCHANGE, "istio.metadata_exchange");
    const text = configurationText(config, path, faults);
    if (extension === null || text === null) return null;
    return this.#start(extension, text, listener, path, faults)?.frames ?? null;
  }

  #start(
    extension: FoundExtension,
    text: string,
    listener: ListenerFacts,
    path: string,
    faults: ConfigFault[],
  ): ExtensionInstance | null {
    const { clock, metrics, log, expressions } = this.#options;
    const scope = this.scope(extension.name);
    const properties = this.#properties;
    const instance = new ExtensionInstance({ clock, metrics, properties, expressions, listener, scope, log });
    if (instance.start(extension.factory, text)) return instance;
    instance.close();
    faults.push({ path, message: `the extension "${extension.name}" refuses its configuration; its log says why` });
    return null;
  }
}

/** The configuration as JSON in UTF-8, a byte string; the content of a TypedStruct or of a known message. */
function configurationText(config: Any, path: string, faults: ConfigFault[]): string | null {
  const struct = openTypedStruct(config);
  if (struct !== null) return byteString(JSON.stringify(struct.value));
  if (config.typeUrl === "") return "";
  const unpacked = unpackAny(config);
  if (unpacked.faults !== undefined) {
    addFaults(faults, path, unpacked.faults);
    return null;
  }
  return byteString(JSON.stringify(toJson(unpacked.schema, unpacked.message)));
}
