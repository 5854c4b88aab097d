import { Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import type { Clock, Timer } from "@mixerless/clock";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import { type RefusedStream, StatusCode } from "../status-code.ts";
import type { ResponseSink } from "./stream-connection.ts";
import { isRefused, type PeerIdentity, type StreamPeer } from "./stream-peer.ts";

/** A message that, as the first of its stream, says who sends it. */
export interface IntroducedMessage {
  readonly node?: Node | undefined;
}

export interface DiscoveryMessage extends IntroducedMessage {
  readonly typeUrl: string;
}

/** What a stream's messages go to once it is open. */
export interface OpenStream<Request> {
  onRequest(request: Request): void;
  onEnd(reason: string): void;
}

export interface DiscoveryCallOptions<Request, Response> {
  readonly clock: Clock;
  /** Whether the call came by TLS. */
  readonly secure: boolean;
  /** Milliseconds for authentication and first request, each. */
  readonly openingTimeout: number;
  readonly admit: (peer: StreamPeer) => RefusedStream | null;
  readonly authenticate: (
    peer: StreamPeer,
  ) => PeerIdentity | null | RefusedStream | Promise<PeerIdentity | null | RefusedStream>;
  /** Called with the first request. */
  readonly open: (
    node: Node,
    peer: StreamPeer,
    identity: PeerIdentity | null,
    sink: ResponseSink<Response>,
  ) => OpenStream<Request> | RefusedStream;
  readonly onRefused: (peer: StreamPeer, refusal: RefusedStream) => void;
}

/** One gRPC call whose first message says who calls, from admission to its end. */
export class DiscoveryCall<Request extends IntroducedMessage, Response> {
  readonly #call: ServerDuplexStream<Request, Response>;
  readonly #options: DiscoveryCallOptions<Request, Response>;
  readonly #peer: StreamPeer;
  #stream: OpenStream<Request> | null = null;
  #timer: Timer | null = null;
  #ended = false;

  constructor(call: ServerDuplexStream<Request, Response>, options: DiscoveryCallOptions<Request, Response>) {
    this.#call = call;
    this.#options = options;
    this.#peer = peerOf(call, options.secure);
    call.on("cancelled", () => this.#onEnd("the client cancelled the stream"));
    call.on("error", (error: Error) => this.#onEnd(error.message));
    call.on("close", () => this.#onEnd("the connection is gone"));
    const refusal = options.admit(this.#peer);
    if (refusal === null) this.#authenticate();
    else this.#refuse(refusal);
  }

  #authenticate(): void {
    this.#expectWithin("the stream could not be authenticated in time");
    const failed = (error: unknown) =>
      this.#refuse({ code: StatusCode.unavailable, message: `authentication failed to run: ${messageOf(error)}` });
    try {
      // Not awaited when it need not be: the first request is often there already.
      const identity = this.#options.authenticate(this.#peer);
      if (identity instanceof Promise) identity.then((value) => this.#onIdentity(value), failed);
      else this.#onIdentity(identity);
    } catch (error) {
      failed(error);
    }
  }

  #onIdentity(identity: PeerIdentity | null | RefusedStream): void {
    if (this.#ended) return;
    if (identity !== null && isRefused(identity)) {
      this.#refuse(identity);
      return;
    }
    // Headers at once, so that the client knows that it has reached a server before there is a response.
    this.#call.sendMetadata(new Metadata());
    this.#expectWithin("no request came in time");
    this.#call.on("data", (request: Request) => this.#onRequest(request, identity));
    this.#call.on("end", () => this.#onHalfClose());
  }

  #onRequest(request: Request, identity: PeerIdentity | null): void {
    if (this.#ended) return;
    if (this.#stream === null) {
      this.#timer?.cancel();
      const stream = this.#open(request, identity);
      if (isRefused(stream)) {
        this.#refuse(stream);
        return;
      }
      this.#stream = stream;
    }
    this.#stream.onRequest(request);
  }

  #open(request: Request, identity: PeerIdentity | null): OpenStream<Request> | RefusedStream {
    const { node } = request;
    if (node === undefined) {
      return { code: StatusCode.invalidArgument, message: "the first request of a stream must carry the node" };
    }
    const sink = { write: this.#write, end: (code: number, message: string) => this.#end({ code, message }) };
    try {
      return this.#options.open(node, this.#peer, identity, sink);
    } catch (error) {
      return { code: StatusCode.internal, message: `the stream could not be opened: ${messageOf(error)}` };
    }
  }

  readonly #write = (response: Response, done: () => void): void => {
    this.#call.write(response, (error?: Error | null) => {
      if (error === undefined || error === null) done();
    });
  };

  #onHalfClose(): void {
    this.#onEnd("the client ended the stream");
    this.#call.end();
  }

  #refuse(refusal: RefusedStream): void {
    if (this.#ended) return;
    this.#options.onRefused(this.#peer, refusal);
    this.#end(refusal);
  }

  #end({ code, message }: RefusedStream): void {
    if (this.#ended) return;
    this.#onEnd(message);
    // What the client still sends stays where it is.
    this.#call.pause();
    if (code === StatusCode.ok) this.#call.end();
    else this.#call.emit("error", { code, details: message });
  }

  #onEnd(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#stream?.onEnd(reason);
  }

  #expectWithin(message: string): void {
    this.#timer?.cancel();
    const { clock, openingTimeout } = this.#options;
    this.#timer = clock.after(openingTimeout, () => this.#refuse({ code: StatusCode.deadlineExceeded, message }));
  }
}

function peerOf(call: ServerDuplexStream<unknown, unknown>, secure: boolean): StreamPeer {
  return {
    address: call.getPeer(),
    secure,
    // Only of a connection whose certificate was verified.
    certificate: call.getAuthContext().sslPeerCertificate?.raw ?? null,
    metadata: (name) => call.metadata.get(name).map((value) => value.toString()),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
