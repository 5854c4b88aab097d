import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Clock } from "@mixerless/clock";
import {
  createAccessLogPolicy,
  createMetadataExchange,
  createMetadataExchangePlugin,
  createStats,
  createTcpExchange,
  DOWNSTREAM_PEER,
  readPeer,
  UPSTREAM_PEER,
} from "@mixerless/extensions";
import type { ExtensionTable, ModuleTable, StateReaderTable } from "@mixerless/proxy";
import { createStackdriver } from "@mixerless/stackdriver";

export interface BuiltInOptions {
  readonly clock: Clock;
  /** `GOOGLE_APPLICATION_CREDENTIALS`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether this is the only process of its proxy; of several, none exports metrics. */
  readonly alone?: boolean;
}

/** The extensions of one proxy. */
export interface BuiltInExtensions {
  readonly table: ExtensionTable;
  /** Sends what is still to be exported. Takes two seconds at most. */
  close(): Promise<void>;
}

/** The extensions that every proxy has in process: its own filters, and what the null VM of Wasm filters runs. */
export function createBuiltInExtensions({ clock, environment, alone = true }: BuiltInOptions): BuiltInExtensions {
  const stackdriver = createStackdriver({
    ...{ clock, random: Math.random, withMetrics: alone },
    credentialsFile: environment.GOOGLE_APPLICATION_CREDENTIALS ?? "",
  });
  return {
    table: {
      ...EXTENSIONS,
      "envoy.wasm.null.stackdriver": stackdriver.createRoot,
      "envoy.wasm.stackdriver": stackdriver.createRoot,
    },
    close: () => stackdriver.close(),
  };
}

const EXTENSIONS: ExtensionTable = {
  "stats.PluginConfig": createStats,
  "io.istio.http.peer_metadata.Config": createMetadataExchange,
  "envoy.tcp.metadataexchange.config.MetadataExchange": createTcpExchange,
  "envoy.wasm.access_log_policy": createAccessLogPolicy,
  "envoy.wasm.metadata_exchange": createMetadataExchangePlugin,
  "envoy.wasm.stats": createStats,
};

/** The same as Wasm modules, by the paths that Istio's proxy images have them at. */
export const BUILT_IN_MODULES: ModuleTable = {
  ...moduleAt("access-log-policy-filter", "access_log_policy"),
  ...moduleAt("metadata-exchange-filter", "metadata_exchange"),
  ...moduleAt("stats-filter", "stats"),
};

function moduleAt(name: string, module: string): ModuleTable {
  const extensions = dirname(createRequire(import.meta.url).resolve("@mixerless/extensions/package.json"));
  const file = join(extensions, "dist/modules", `${module}.wasm`);
  const path = `/etc/istio/extensions/${name}`;
  return { [`${path}.compiled.wasm`]: file, [`${path}.wasm`]: file };
}

/** What these leave in filter state, for expressions. */
export const BUILT_IN_STATES: StateReaderTable = {
  [DOWNSTREAM_PEER]: readPeer,
  [UPSTREAM_PEER]: readPeer,
};
