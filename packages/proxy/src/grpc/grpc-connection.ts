import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import type { Clock, Timer } from "@mixerless/clock";
import type { AdmittedStream, Cancellable, PoolFailure } from "../upstream/cluster.ts";
import { nodeHttp2 } from "./node-http2.ts";
import { TransportDuplex } from "./transport-duplex.ts";

/** Milliseconds that a connection stays without a call. */
const IDLE = 60_000;
/** Bytes per connection that Node may hold, in megabytes. */
const SESSION_MEMORY = 64;

/** A call that waits for its stream. Exactly one of the two is called, unless the wait is cancelled before. */
export interface StreamWaiter {
  onStream(stream: ClientHttp2Stream): void;
  onNoStream(reason: string): void;
  headers(scheme: string): OutgoingHttpHeaders;
}

/** One HTTP/2 connection to one endpoint, opened with the first call and shared by those that follow. */
export class GrpcConnection {
  readonly #clock: Clock;
  readonly #onGone: () => void;
  readonly #waiting = new Set<StreamWaiter>();
  #attempt: Cancellable | null = null;
  #session: ClientHttp2Session | null = null;
  #scheme = "http";
  #failure = "the connection was closed";
  #streams = 0;
  #idle: Timer | null = null;
  #gone = false;

  /** `onGone`: it takes no further call. */
  constructor(clock: Clock, onGone: () => void) {
    this.#clock = clock;
    this.#onGone = onGone;
  }

  /** False as soon as the peer, or a failure, has put an end to it. */
  get usable(): boolean {
    return !this.#gone && this.#session?.closed !== true;
  }

  /** The reason is given when there can't be a connection right now. */
  open(admitted: AdmittedStream): PoolFailure | null {
    let failure: PoolFailure | null = null;
    const attempt = admitted.connect(["h2"], {
      onReady: (transport) => {
        this.#attempt = null;
        this.#scheme = transport.connection.tls === null ? "http" : "https";
        this.#begin(new TransportDuplex(transport));
      },
      onFailure: (reason, _host, details) => {
        failure = reason;
        this.#attempt = null;
        this.#fail(details === "" ? reason : details);
      },
    });
    if (failure === null && this.#session === null) this.#attempt = attempt;
    return failure;
  }

  request(waiter: StreamWaiter): Cancellable {
    this.#idle?.cancel();
    if (this.#session === null) this.#waiting.add(waiter);
    else this.#start(this.#session, waiter);
    return { cancel: () => this.#waiting.delete(waiter) };
  }

  close(): void {
    this.#leave();
    this.#waiting.clear();
    this.#attempt?.cancel();
    this.#attempt = null;
    this.#session?.destroy();
  }

  #begin(duplex: TransportDuplex): void {
    const session = nodeHttp2().connect("http://upstream", {
      createConnection: () => duplex,
      settings: { enablePush: false },
      maxSessionMemory: SESSION_MEMORY,
    });
    this.#session = session;
    session.on("error", (error) => {
      this.#failure = error.message;
    });
    session.on("goaway", () => this.#leave());
    session.on("close", () => {
      duplex.destroy();
      this.#fail(this.#failure);
    });
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const waiter of waiting) this.#start(session, waiter);
  }

  #start(session: ClientHttp2Session, waiter: StreamWaiter): void {
    let stream: ClientHttp2Stream;
    try {
      stream = session.request(waiter.headers(this.#scheme), { endStream: false });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      process.nextTick(() => waiter.onNoStream(reason));
      return;
    }
    this.#streams++;
    stream.once("close", () => {
      if (--this.#streams > 0 || this.#gone) return;
      this.#idle = this.#clock.after(IDLE, () => {
        this.#leave();
        session.close();
      });
    });
    waiter.onStream(stream);
  }

  #fail(reason: string): void {
    this.#leave();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const waiter of waiting) waiter.onNoStream(reason);
  }

  #leave(): void {
    this.#idle?.cancel();
    if (this.#gone) return;
    this.#gone = true;
    this.#onGone();
  }
}
