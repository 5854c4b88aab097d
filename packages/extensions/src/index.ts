export {
  createPeerMetadata as createMetadataExchange,
  createRoot as createMetadataExchangePlugin,
} from "./metadata-exchange/filter.ts";
export { createRoot as createStats } from "./stats/filter.ts";
