import type { Any } from "@bufbuild/protobuf/wkt";
import { type ChannelCredentials, Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import type { Clock, Timer } from "@mixerless/clock";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import { AggregatedDiscoveryService } from "@mixerless/wire/envoy/service/discovery/v3/ads";
import { grpcMethod } from "../grpc/grpc-service.ts";
import type { DeltaRequest, DeltaResponse, SotwRequest, SotwResponse } from "../messages.ts";
import { Backoff, type BackoffOptions, DEFAULT_BACKOFF } from "./backoff.ts";
import type { ClientProtocol, UpdateHandler, Wanted } from "./client-protocol.ts";
import { DeltaClient } from "./delta-client.ts";
import { SotwClient } from "./sotw-client.ts";

export interface XdsClientOptions {
  /** `host:port` or `unix:/path`. */
  readonly target: string;
  readonly mode: "delta" | "sotw";
  readonly node: Node;
  readonly clock: Clock;
  readonly onUpdate: UpdateHandler;
  /** The stream came up, or went with the given reason. */
  readonly onState?: (connected: boolean, reason: string) => void;
  /** Reads a resource's name; needed in mode `sotw`. */
  readonly nameOf?: (any: Any) => string;
  /** Plain text if left out. */
  readonly credentials?: ChannelCredentials;
  readonly backoff?: BackoffOptions;
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
  close(): void;
}

const KEEPALIVE_INTERVAL = 30_000;
const KEEPALIVE_TIMEOUT = 10_000;
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

export function createXdsClient(options: XdsClientOptions): XdsClient {
  const { deltaAggregatedResources, streamAggregatedResources } = AggregatedDiscoveryService.method;
  // The machines speak of fewer, read-only fields than the generated messages have.
  if (options.mode === "delta") {
    const method = grpcMethod(deltaAggregatedResources) as unknown as Method<DeltaRequest, DeltaResponse>;
    return new StreamingClient(options, new DeltaClient(options.onUpdate), method);
  }
  const nameOf = options.nameOf ?? (() => "");
  const method = grpcMethod(streamAggregatedResources) as unknown as Method<SotwRequest, SotwResponse>;
  return new StreamingClient(options, new SotwClient(options.onUpdate, nameOf), method);
}

interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

class StreamingClient<Request extends object, Response> implements XdsClient {
  readonly #options: XdsClientOptions;
  readonly #protocol: ClientProtocol<Request, Response>;
  readonly #method: Method<Request, Response>;
  readonly #backoff: Backoff;
  readonly #client: Client;
  #call: ClientDuplexStream<Request, Response> | null = null;
  #firstRequest = true;
  #retry: Timer | null = null;
  #connected = false;
  #closed = false;

  constructor(
    options: XdsClientOptions,
    protocol: ClientProtocol<Request, Response>,
    method: Method<Request, Response>,
  ) {
    this.#options = options;
    this.#protocol = protocol;
    this.#method = method;
    this.#backoff = new Backoff(options.backoff ?? DEFAULT_BACKOFF, options.random ?? Math.random);
    this.#client = new Client(options.target, options.credentials ?? credentials.createInsecure(), {
      "grpc.keepalive_time_ms": KEEPALIVE_INTERVAL,
      "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT,
      "grpc.max_receive_message_length": MAX_RESPONSE_BYTES,
      // Our own back-off decides; the channel's would add to it.
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 500,
      // Several clients of one process must not share a connection: each is another proxy.
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(): void {
    this.#open();
  }

  subscribe(typeUrl: string, wanted: Wanted): void {
    this.#send(this.#protocol.want(typeUrl, wanted));
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#call?.cancel();
    this.#client.close();
  }

  #open(): void {
    if (this.#closed || this.#call !== null) return;
    const { path, requestSerialize, responseDeserialize } = this.#method;
    const call = this.#client.makeBidiStreamRequest<Request, Response>(path, requestSerialize, responseDeserialize);
    this.#call = call;
    this.#firstRequest = true;
    call.on("data", (response: Response) => this.#received(response));
    call.on("error", (error: Error) => this.#lost(call, error.message));
    call.on("end", () => this.#lost(call, "the control plane ended the stream"));
    this.#send(this.#protocol.connected());
  }

  #received(response: Response): void {
    this.#backoff.reset();
    if (!this.#connected) {
      this.#connected = true;
      this.#options.onState?.(true, "");
    }
    this.#send(this.#protocol.received(response));
  }

  #send(requests: readonly Request[]): void {
    const call = this.#call;
    if (call === null) return;
    for (const request of requests) {
      call.write(this.#firstRequest ? { ...request, node: this.#options.node } : request);
      this.#firstRequest = false;
    }
  }

  #lost(call: ClientDuplexStream<Request, Response>, reason: string): void {
    if (this.#call !== call) return;
    this.#call = null;
    this.#protocol.disconnected();
    const wasConnected = this.#connected;
    this.#connected = false;
    if (this.#closed) return;
    if (wasConnected) this.#options.onState?.(false, reason);
    this.#retry = this.#options.clock.after(this.#backoff.next(), () => this.#open());
  }
}
