import type { MessageInitShape } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import type { Clock } from "@mixerless/clock";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import { AggregatedDiscoveryService } from "@mixerless/wire/envoy/service/discovery/v3/ads";
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequest,
  DiscoveryResponseSchema,
} from "@mixerless/wire/envoy/service/discovery/v3/discovery";
import { SecretDiscoveryService } from "@mixerless/wire/envoy/service/secret/v3/sds";
import { createGrpcService, type GrpcService } from "../grpc/grpc-service.ts";
import { type RefusedStream, StatusCode } from "../status-code.ts";
import { DeltaStream } from "./delta-stream.ts";
import { DiscoveryCall, type DiscoveryMessage, type OpenStream } from "./discovery-call.ts";
import { parseNode } from "./node-check.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import { PushVersions } from "./push-versions.ts";
import type { ChangedResources, ResourceSource } from "./resource-source.ts";
import type { ServerObserver } from "./server-observer.ts";
import type { ServerStream, StreamContext } from "./server-stream.ts";
import { SotwStream } from "./sotw-stream.ts";
import {
  defaultStreamTimeouts,
  type ResponseSink,
  StreamConnection,
  type StreamTimeouts,
} from "./stream-connection.ts";
import type { Admit, Authenticate, PeerIdentity, StreamPeer } from "./stream-peer.ts";
import { defaultStreamLimits, type StreamLimits } from "./watch-table.ts";

export interface XdsServerOptions {
  readonly source: ResourceSource;
  readonly clock: Clock;
  /** `host:port` (port 0: any free one) or `unix:/path`. */
  readonly address: string;
  /** `secrets`: by the secret discovery service (SDS) instead of the aggregated one. */
  readonly service?: "aggregated" | "secrets";
  /** Further services on the same port, for example certificate signing. */
  readonly services?: readonly GrpcService[];
  /** A second port, by TLS. */
  readonly secure?: SecurePort;
  readonly observer?: ServerObserver;
  readonly admit?: Admit;
  readonly authenticate?: Authenticate;
  /** Says what is wrong with a node, or null. Left out: the id must be of the form that the mesh uses. */
  readonly checkNode?: (node: Node) => string | null;
  readonly limits?: Partial<StreamLimits>;
  readonly timeouts?: Partial<StreamTimeouts>;
  /** Streams at a time, 10 000 if left out. */
  readonly maxStreams?: number;
  /** Largest request taken, in bytes; 4 MiB if left out. */
  readonly maxRequestBytes?: number;
  /** In [0, 1); Math.random if left out. */
  readonly random?: () => number;
}

/** Where a server speaks TLS, beside its plain port. */
export interface SecurePort {
  readonly address: string;
  readonly credentials: ServerCredentials;
  /** Further services that are offered here only. */
  readonly services?: readonly GrpcService[];
}

/** A discovery server: one service in both protocols. */
export interface XdsServer {
  /** Resolves to the bound address. Rejects if an address can't be bound. */
  start(): Promise<string>;
  /** The bound address of the secure port; null without one, or before the start. */
  readonly secureAddress: string | null;
  connections(): readonly ProxyConnection[];
  /** Begins a push: the version to be passed to `ProxyConnection.push` for every proxy that it reaches. */
  nextVersion(): string;
  /** Pushes to every connection. */
  push(changed: ChangedResources): void;
  /** Ends all streams; resolves once the port is free, after at most `grace` milliseconds (default 1000). */
  close(grace?: number): Promise<void>;
}

const KEEPALIVE_INTERVAL = 30_000;
const KEEPALIVE_TIMEOUT = 10_000;
const OPENING_TIMEOUT = 10_000;
const DEFAULT_REQUEST_BYTES = 4 * 1024 * 1024;

export function createXdsServer(options: XdsServerOptions): XdsServer {
  return new AdsServer(options);
}

class AdsServer implements XdsServer {
  readonly #options: XdsServerOptions;
  readonly #plain: Server;
  readonly #secure: Server | null;
  readonly #versions: PushVersions;
  readonly #connections = new Set<ProxyConnection>();
  #streams = 0;
  #closing = false;
  secureAddress: string | null = null;

  constructor(options: XdsServerOptions) {
    this.#options = options;
    this.#versions = new PushVersions(options.clock);
    this.#plain = this.#createServer(options.services ?? [], false);
    this.#secure = options.secure === undefined ? null : this.#createServer(options.secure.services ?? [], true);
  }

  async start(): Promise<string> {
    const { address, secure } = this.#options;
    const bound = await bind(this.#plain, address, ServerCredentials.createInsecure());
    if (secure !== undefined && this.#secure !== null)
      this.secureAddress = await bind(this.#secure, secure.address, secure.credentials);
    return bound;
  }

  connections(): readonly ProxyConnection[] {
    return [...this.#connections];
  }

  nextVersion(): string {
    return this.#versions.advance();
  }

  push(changed: ChangedResources): void {
    const version = this.nextVersion();
    for (const connection of this.connections()) connection.push(changed, version);
  }

  close(grace = 1000): Promise<void> {
    this.#closing = true;
    for (const connection of this.connections()) {
      connection.close(StatusCode.unavailable, "the server is shutting down");
    }
    const servers = this.#secure === null ? [this.#plain] : [this.#plain, this.#secure];
    return Promise.all(servers.map((server) => this.#shutDown(server, grace))).then(() => {});
  }

  #shutDown(server: Server, grace: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(grace, () => server.forceShutdown());
      server.tryShutdown(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #createServer(services: readonly GrpcService[], secure: boolean): Server {
    const server = new Server({
      "grpc.keepalive_time_ms": KEEPALIVE_INTERVAL,
      "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT,
      "grpc.max_receive_message_length": this.#options.maxRequestBytes ?? DEFAULT_REQUEST_BYTES,
      "grpc.max_send_message_length": -1,
      "grpc.max_concurrent_streams": 100,
    });
    for (const { definition, implementation } of [this.#discovery(secure), ...services]) {
      server.addService(definition, implementation);
    }
    return server;
  }

  #discovery(secure: boolean): GrpcService {
    const sotw = (call: ServerDuplexStream<DiscoveryRequest, MessageInitShape<typeof DiscoveryResponseSchema>>) =>
      this.#serve(call, secure, "sotw", (context) => new SotwStream(context));
    const delta = (
      call: ServerDuplexStream<DeltaDiscoveryRequest, MessageInitShape<typeof DeltaDiscoveryResponseSchema>>,
    ) => this.#serve(call, secure, "delta", (context) => new DeltaStream(context));
    if (this.#options.service !== "secrets")
      return createGrpcService(AggregatedDiscoveryService, {
        streamAggregatedResources: sotw,
        deltaAggregatedResources: delta,
      });
    return createGrpcService(SecretDiscoveryService, {
      streamSecrets: sotw,
      deltaSecrets: delta,
      fetchSecrets: (_call, answer) =>
        answer({ code: StatusCode.unimplemented, details: "Secrets are streamed: StreamSecrets or DeltaSecrets." }),
    });
  }

  #serve<Request extends DiscoveryMessage, Response>(
    call: ServerDuplexStream<Request, Response>,
    secure: boolean,
    mode: "sotw" | "delta",
    createStream: (context: StreamContext) => ServerStream<Request, Response>,
  ): void {
    const { clock, authenticate, observer } = this.#options;
    new DiscoveryCall<Request, Response>(call, {
      clock,
      secure,
      openingTimeout: OPENING_TIMEOUT,
      admit: (peer) => this.#admit(peer),
      authenticate: (peer) => authenticate?.(peer) ?? null,
      open: (node, peer, identity, sink) => this.#open({ node, peer, identity, mode }, sink, createStream),
      onRefused: (peer, { code, message }) => observer?.onRefused?.(peer.address, code, message),
    });
  }

  #admit(peer: StreamPeer): RefusedStream | null {
    if (this.#closing) return { code: StatusCode.unavailable, message: "the server is shutting down" };
    if (this.#connections.size >= (this.#options.maxStreams ?? 10_000)) {
      return { code: StatusCode.resourceExhausted, message: "the server has as many streams as it takes" };
    }
    return this.#options.admit?.(peer) ?? null;
  }

  #open<Request extends DiscoveryMessage, Response>(
    opening: { node: Node; peer: StreamPeer; identity: PeerIdentity | null; mode: "sotw" | "delta" },
    sink: ResponseSink<Response>,
    createStream: (context: StreamContext) => ServerStream<Request, Response>,
  ): OpenStream<Request> | RefusedStream {
    const { node, peer, identity, mode } = opening;
    const { source, clock, limits, timeouts, random, observer = {}, checkNode = meshNodeFault } = this.#options;
    const fault = checkNode(node);
    if (fault !== null) return { code: StatusCode.invalidArgument, message: fault };
    this.#streams += 1;
    const connection = new StreamConnection<Request, Response>(
      { connectionId: `${node.id}-${this.#streams}`, node, mode, identity, peerAddress: peer.address },
      {
        clock,
        versions: this.#versions,
        limits: { ...defaultStreamLimits, ...limits },
        timeouts: { ...defaultStreamTimeouts, ...timeouts },
        random: random ?? Math.random,
        observer,
        onClosed: (closed) => this.#connections.delete(closed),
      },
      sink,
    );
    const refusal = connection.open(source, createStream);
    if (refusal !== null) return refusal;
    this.#connections.add(connection);
    return connection;
  }
}

/** Resolves to the address with the port that it was given. */
function bind(server: Server, address: string, credentials: ServerCredentials): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error !== null) reject(new Error(`cannot listen on ${address}: ${error.message}`, { cause: error }));
      else resolve(address.startsWith("unix:") ? address : `${address.slice(0, address.lastIndexOf(":"))}:${port}`);
    });
  });
}

function meshNodeFault(node: Node): string | null {
  const identity = parseNode(node);
  return "fault" in identity ? identity.fault : null;
}
