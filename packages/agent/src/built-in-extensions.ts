import {
  createMetadataExchange,
  createStats,
  createTcpExchange,
  DOWNSTREAM_PEER,
  readPeer,
  UPSTREAM_PEER,
} from "@mixerless/extensions";
import type { ExtensionTable, StateReaderTable } from "@mixerless/proxy";

/** The extensions that every proxy has in process, by the type of their configuration. */
export const BUILT_IN_EXTENSIONS: ExtensionTable = {
  "stats.PluginConfig": createStats,
  "io.istio.http.peer_metadata.Config": createMetadataExchange,
  "envoy.tcp.metadataexchange.config.MetadataExchange": createTcpExchange,
};

/** What these leave in filter state, for expressions. */
export const BUILT_IN_STATES: StateReaderTable = {
  [DOWNSTREAM_PEER]: readPeer,
  [UPSTREAM_PEER]: readPeer,
};
