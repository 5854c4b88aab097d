export type { CacheOptions } from "./cache/resource-cache.ts";
export { Backoff, type BackoffOptions, DEFAULT_BACKOFF } from "./client/backoff.ts";
export type {
  ReceivedResource,
  ResourceUpdate,
  UpdateHandler,
  Wanted,
} from "./client/client-protocol.ts";
export type { ChannelSecurity } from "./client/grpc-transport.ts";
export { createReportClient, type ReportClient } from "./client/report-client.ts";
export type { ClientState, ClientTypeState } from "./client/streaming-client.ts";
export { createXdsClient, type XdsClient, type XdsClientOptions } from "./client/xds-client.ts";
export { createGrpcService, type GrpcService, grpcMethod } from "./grpc/grpc-service.ts";
export type { RefusedResource, ResourceFault } from "./refusal.ts";
export { shortTypeName, TypeUrl } from "./resource-types.ts";
export type { ConnectionStatus, ResourceStatus, SyncState, WatchStatus } from "./server/connection-status.ts";
export { DiscoveryCall, type OpenStream } from "./server/discovery-call.ts";
export { contentVersion, MapSource } from "./server/map-source.ts";
export type { ProxyConnection } from "./server/proxy-connection.ts";
export type {
  ChangedResources,
  GeneratedResource,
  GeneratedResources,
  ProxySession,
  ResourceSource,
} from "./server/resource-source.ts";
export type { ServerObserver } from "./server/server-observer.ts";
export type { PeerIdentity } from "./server/stream-peer.ts";
export { createStreamRateLimit } from "./server/stream-rate-limit.ts";
export { createXdsServer, type XdsServer, type XdsServerOptions } from "./server/xds-server.ts";
export { type RefusedStream, StatusCode } from "./status-code.ts";
