export {
  createPeerMetadata as createMetadataExchange,
  createRoot as createMetadataExchangePlugin,
} from "./metadata-exchange/filter.ts";
export { createTcpExchange } from "./metadata-exchange/tcp-exchange.ts";
export { createRoot as createStats } from "./stats/filter.ts";
