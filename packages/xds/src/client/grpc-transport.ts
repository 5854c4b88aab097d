import { type ChannelCredentials, Client, credentials as grpcCredentials } from "@grpc/grpc-js";
import type { DiscoveryStream, DiscoveryTransport, StreamEvents } from "./discovery-transport.ts";

const KEEPALIVE_INTERVAL = 30_000;
const KEEPALIVE_TIMEOUT = 10_000;
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** A bidirectional gRPC method with its codecs. */
export interface StreamMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** Streams of one method over one channel. Credentials are taken anew for every channel. */
export class GrpcTransport<Request extends object, Response> implements DiscoveryTransport<Request, Response> {
  readonly #client: Client;
  readonly #method: StreamMethod<Request, Response>;

  constructor(target: string, credentials: ChannelCredentials | undefined, method: StreamMethod<Request, Response>) {
    this.#method = method;
    this.#client = new Client(target, credentials ?? grpcCredentials.createInsecure(), {
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

  open(events: StreamEvents<Response>): DiscoveryStream<Request> {
    const { path, requestSerialize, responseDeserialize } = this.#method;
    const call = this.#client.makeBidiStreamRequest<Request, Response>(path, requestSerialize, responseDeserialize);
    let over = false;
    const end = (reason: string) => {
      if (over) return;
      over = true;
      // Without this a half-open call would keep its side of the stream.
      call.cancel();
      events.onEnd(reason);
    };
    call.on("metadata", () => {
      if (!over) events.onHeaders();
    });
    call.on("data", (response: Response) => {
      if (!over) events.onResponse(response);
    });
    call.on("error", (error: Error) => end(error.message));
    call.on("end", () => end("the control plane ended the stream"));
    call.on("drain", () => call.resume());
    return {
      send: (request) => {
        // A server that does not read gets no further answers, so it must not be read either.
        if (!over && !call.write(request)) call.pause();
      },
      cancel: () => {
        over = true;
        call.cancel();
      },
    };
  }

  close(): void {
    this.#client.close();
  }
}
