import type { Any } from "@bufbuild/protobuf/wkt";
import type { Clock } from "@mixerless/clock";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import { AggregatedDiscoveryService } from "@mixerless/wire/envoy/service/discovery/v3/ads";
import type { CacheOptions } from "../cache/resource-cache.ts";
import { ResourceCache } from "../cache/resource-cache.ts";
import { grpcMethod } from "../grpc/grpc-service.ts";
import type { DeltaRequest, DeltaResponse, SotwRequest, SotwResponse } from "../messages.ts";
import { type BackoffOptions, DEFAULT_BACKOFF } from "./backoff.ts";
import type { UpdateHandler, Wanted } from "./client-protocol.ts";
import { DeltaClient } from "./delta-client.ts";
import { type ChannelSecurity, GrpcTransport, type StreamMethod } from "./grpc-transport.ts";
import { resourceNameOf } from "./resource-name.ts";
import { SotwClient } from "./sotw-client.ts";
import { type ClientState, StreamingClient } from "./streaming-client.ts";

export interface XdsClientOptions {
  /** `host:port` or `unix:/path`. */
  readonly target: string;
  readonly mode: "delta" | "sotw";
  readonly node: Node;
  readonly clock: Clock;
  readonly onUpdate: UpdateHandler;
  /** The control plane answers, or has gone with the given reason. */
  readonly onState?: (connected: boolean, reason: string) => void;
  /** An attempt to reach the control plane failed; the next one comes in so many milliseconds. */
  readonly onAttemptFailed?: (reason: string, retryIn: number) => void;
  /** Reads a resource's name in mode `sotw`. Left out: field 1, as all of Envoy's types have it. */
  readonly nameOf?: (any: Any) => string;
  /** Plain text if left out. */
  readonly security?: ChannelSecurity;
  readonly backoff?: BackoffOptions;
  /** Keeps the last good resources on disk, for a start without the control plane [decision 9]. */
  readonly cache?: CacheOptions;
  /** In [0, 1); Math.random if left out. */
  readonly random?: () => number;
}

/** A subscriber of one control plane. What it has received stays when the control plane goes [decision 9]. */
export interface XdsClient {
  /** Opens the stream, and opens it again whenever it is lost. */
  start(): void;
  /** Says what is wanted of a type from now on; replaces what was said before. */
  subscribe(typeUrl: string, wanted: Wanted): void;
  readonly connected: boolean;
  /**
   * Tells the control plane how the workload behind the proxy is, now and on every later stream; `reason` where it is
   * not well. Who has reported ends its stream with {@link close} so that the last report arrives.
   */
  reportHealth(healthy: boolean, reason: string): void;
  /** For admin pages. */
  state(): ClientState;
  /** Ends the stream. Resolves when the cache is written. */
  close(): Promise<void>;
}

export function createXdsClient(options: XdsClientOptions): XdsClient {
  const { target, security, clock, node, onState, onAttemptFailed, nameOf = resourceNameOf } = options;
  const cache = options.cache === undefined ? null : new ResourceCache(options.cache, clock, node.id);
  const onUpdate = cache === null ? options.onUpdate : cache.recording(options.onUpdate);
  const common = {
    target,
    node,
    clock,
    cache,
    onState,
    onAttemptFailed,
    backoff: options.backoff ?? DEFAULT_BACKOFF,
    random: options.random ?? Math.random,
  };
  const { deltaAggregatedResources, streamAggregatedResources } = AggregatedDiscoveryService.method;
  // The machines speak of fewer, read-only fields than the generated messages have.
  if (options.mode === "delta") {
    const method = grpcMethod(deltaAggregatedResources) as unknown as StreamMethod<DeltaRequest, DeltaResponse>;
    const transport = new GrpcTransport(target, security, method);
    return new StreamingClient({ ...common, transport, protocol: new DeltaClient(onUpdate) });
  }
  const method = grpcMethod(streamAggregatedResources) as unknown as StreamMethod<SotwRequest, SotwResponse>;
  const transport = new GrpcTransport(target, security, method);
  return new StreamingClient({ ...common, transport, protocol: new SotwClient(onUpdate, nameOf) });
}
