import { createMetadataExchange, createStats, createTcpExchange } from "@mixerless/extensions";
import type { ExtensionTable } from "@mixerless/proxy";

/** The extensions that every proxy has in process, by the type of their configuration. */
export const BUILT_IN_EXTENSIONS: ExtensionTable = {
  "stats.PluginConfig": createStats,
  "io.istio.http.peer_metadata.Config": createMetadataExchange,
  "envoy.tcp.metadataexchange.config.MetadataExchange": createTcpExchange,
};
