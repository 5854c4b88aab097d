import type { SecureContext } from "node:tls";
import { Client, credentials } from "@grpc/grpc-js";
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

/** How a server is reached by TLS. */
export interface ChannelSecurity {
  /** What to show and whom to trust, taken anew for every stream; text says why there is nothing now. */
  readonly context: () => SecureContext | string;
  /** Sent to the server as the name that is wanted. */
  readonly serverName: string;
  /** Judges the server by its certificate (DER), after its chain was verified; null lets it pass. */
  readonly checkServer: (certificate: Uint8Array) => string | null;
}

/** Streams of one method over one channel, which is made anew when the credentials have changed. */
export class GrpcTransport<Request extends object, Response> implements DiscoveryTransport<Request, Response> {
  readonly #target: string;
  readonly #security: ChannelSecurity | null;
  readonly #method: StreamMethod<Request, Response>;
  #client: Client | null = null;
  #context: SecureContext | null = null;

  /** Without `security` in plain text. */
  constructor(target: string, security: ChannelSecurity | undefined, method: StreamMethod<Request, Response>) {
    this.#target = target;
    this.#security = security ?? null;
    this.#method = method;
  }

  /** The channel for the credentials of now, or why there is none. */
  #channel(): Client | string {
    const context = this.#security?.context() ?? null;
    if (typeof context === "string") return context;
    if (this.#client === null || context !== this.#context) {
      this.#client?.close();
      this.#context = context;
      this.#client = this.#createClient(context);
    }
    return this.#client;
  }

  #createClient(context: SecureContext | null): Client {
    const security = this.#security;
    const secured = context !== null && security !== null;
    const check = (_host: string, { raw }: { raw: Uint8Array }) => {
      const fault = security?.checkServer(raw) ?? null;
      return fault === null ? undefined : new Error(fault);
    };
    const chosen = secured
      ? credentials.createFromSecureContext(context, { checkServerIdentity: check })
      : credentials.createInsecure();
    const name = security?.serverName ?? "";
    return new Client(this.#target, chosen, {
      ...(secured && name !== "" ? { "grpc.ssl_target_name_override": name, "grpc.default_authority": name } : {}),
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
    const client = this.#channel();
    if (typeof client === "string") {
      queueMicrotask(() => events.onEnd(client));
      return { send: () => {}, end: () => {}, cancel: () => {} };
    }
    const call = client.makeBidiStreamRequest<Request, Response>(path, requestSerialize, responseDeserialize);
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
      end: () => {
        if (!over) call.end();
      },
      cancel: () => {
        over = true;
        call.cancel();
      },
    };
  }

  close(): void {
    this.#client?.close();
  }
}
