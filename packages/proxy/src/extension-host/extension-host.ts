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
import { WasmPlugins } from "../wasm/wasm-plugins.ts";
import { type AttributeScope, byteString, type NodeFacts } from "./attributes/attribute.ts";
import type { ExtensionFactory, ExtensionTable, PeerFrames } from "./extension.ts";
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
}

/** Type of the configuration of the TCP metadata exchange. */
export const TCP_EXCHANGE = "envoy.tcp.metadataexchange.config.MetadataExchange";

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
    this.#plugins ??= new WasmPlugins({ ...this.#options, modules: this.#options.modules ?? null, clusters });
    return this.#plugins;
  }

  /** By the type of the configuration first, since two filters of one name may differ in it; else by the filter's name. */
  find(typeName: string, filterName: string): FoundExtension | null {
    const key = Object.hasOwn(this.#table, typeName) ? typeName : filterName;
    const factory = Object.hasOwn(this.#table, key) ? this.#table[key] : undefined;
    return factory === undefined ? null : { name: filterName, factory };
  }

  /** Null after adding faults. */
  httpFilter(
    extension: FoundExtension,
    config: Any,
    listener: ListenerFacts,
    path: string,
    faults: ConfigFault[],
  ): HttpFilterFactory | null {
    const instance = this.#start(extension, config, listener, path, faults);
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
    const instance = this.#start(extension, config, listener, path, faults);
    if (instance === null) return null;
    return {
      create: (info) => new ExtensionConnection(info, instance),
      close: () => instance.close(),
    };
  }

  /** The TCP metadata exchange; null where there is none, or after adding faults. */
  peerFrames(config: Any, listener: ListenerFacts, path: string, faults: ConfigFault[]): PeerFrames | null {
    const extension = this.find(TCP_EXCHANGE, "istio.metadata_exchange");
    return extension === null ? null : (this.#start(extension, config, listener, path, faults)?.frames ?? null);
  }

  #start(
    extension: FoundExtension,
    config: Any,
    listener: ListenerFacts,
    path: string,
    faults: ConfigFault[],
  ): ExtensionInstance | null {
    const text = configurationText(config, path, faults);
    if (text === null) return null;
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
