export { createRoot as createAccessLogPolicy } from "./access-log-policy/filter.ts";
export {
  createPeerMetadata as createMetadataExchange,
  createRoot as createMetadataExchangePlugin,
} from "./metadata-exchange/filter.ts";
export { createTcpExchange } from "./metadata-exchange/tcp-exchange.ts";
export { Peer, readPeer } from "./peer/peer.ts";
export { DOWNSTREAM_PEER, UPSTREAM_PEER } from "./peer/peer-states.ts";
export { createRoot as createStats } from "./stats/filter.ts";
export { PeerWatch } from "./stats/peer-watch.ts";
export { responseFlags } from "./stats/response-flags.ts";
export { ServiceFacts, serviceOf } from "./stats/service.ts";
export { LocalNode, Side, sideOfEndpoint, sideOfNode, sideOfPeer } from "./stats/side.ts";
