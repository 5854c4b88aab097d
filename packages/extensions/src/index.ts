export { createPeerMetadata, createRoot as createMetadataExchange } from "./metadata-exchange/filter.ts";
export { createRoot as createStats } from "./stats/filter.ts";
