import type { Clock, Timer } from "@mixerless/clock";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import { type RefusedStream, StatusCode } from "../status-code.ts";
import { type ConnectionStatus, type ResourceStatus, resourceStatuses, watchStatus } from "./connection-status.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import type { PushVersions } from "./push-versions.ts";
import type { ChangedResources, ProxySession, ResourceSource } from "./resource-source.ts";
import type { ServerObserver } from "./server-observer.ts";
import type { ServerStream, StreamContext } from "./server-stream.ts";
import { isRefused, type PeerIdentity } from "./stream-peer.ts";
import type { StreamLimits } from "./watch-table.ts";

/** The way out of a stream. */
export interface ResponseSink<Response> {
  /** Called again only after `done`, which means that the transport can take another message. */
  write(response: Response, done: () => void): void;
  end(code: number, message: string): void;
}

/** How long a stream waits for its client, in milliseconds. */
export interface StreamTimeouts {
  /** For the answer to a response, while a push is held back by it. Then the push goes out without. */
  readonly ack: number;
  /** For the transport to take one response. Then the stream ends. */
  readonly write: number;
  /** Age at which a stream ends, ± 10 %, so that clients spread over the servers again. */
  readonly maxAge: number;
}

export const defaultStreamTimeouts: StreamTimeouts = { ack: 15_000, write: 120_000, maxAge: 30 * 60_000 };

export interface StreamFacts {
  readonly connectionId: string;
  readonly node: Node;
  readonly mode: "sotw" | "delta";
  readonly identity: PeerIdentity | null;
  readonly peerAddress: string;
}

export interface StreamEnvironment {
  readonly clock: Clock;
  readonly versions: PushVersions;
  readonly limits: StreamLimits;
  readonly timeouts: StreamTimeouts;
  readonly observer: ServerObserver;
  /** Called once when a stream that was open is over, before the observer hears of it. */
  readonly onClosed: (connection: ProxyConnection) => void;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Drives one stream's state machine: one response on its way at a time, timers, bookkeeping. */
export class StreamConnection<Request extends { readonly typeUrl: string }, Response> implements ProxyConnection {
  readonly connectionId: string;
  readonly node: Node;
  readonly mode: "sotw" | "delta";
  readonly identity: PeerIdentity | null;
  readonly peerAddress: string;
  readonly connectedAt: number;
  readonly #environment: StreamEnvironment;
  readonly #sink: ResponseSink<Response>;
  #session: ProxySession | null = null;
  #stream: ServerStream<Request, Response> | null = null;
  #busy = false;
  #writing = false;
  #closed = false;
  #ackTimer: Timer | null = null;
  #writeTimer: Timer | null = null;
  #ageTimer: Timer | null = null;

  constructor(facts: StreamFacts, environment: StreamEnvironment, sink: ResponseSink<Response>) {
    this.connectionId = facts.connectionId;
    this.node = facts.node;
    this.mode = facts.mode;
    this.identity = facts.identity;
    this.peerAddress = facts.peerAddress;
    this.connectedAt = environment.clock.now();
    this.#environment = environment;
    this.#sink = sink;
  }

  /** Asks the source for this proxy's session. Returns why it refuses, or null. */
  open(
    source: ResourceSource,
    createStream: (context: StreamContext) => ServerStream<Request, Response>,
  ): RefusedStream | null {
    const { clock, versions, limits, observer, timeouts, random } = this.#environment;
    const session = source.open(this.node, this.connectionId, this);
    if (isRefused(session)) return session;
    this.#session = session;
    const onInternalError = (typeUrl: string, error: unknown) => observer.onInternalError?.(this, typeUrl, error);
    this.#stream = createStream({ session, versions, clock, limits, onInternalError });
    this.#ageTimer = clock.after(timeouts.maxAge * (0.9 + 0.2 * random()), () =>
      this.close(StatusCode.ok, "the stream has reached its maximum age"),
    );
    observer.onConnect?.(this);
    return null;
  }

  onRequest(request: Request): void {
    if (this.#closed || this.#stream === null) return;
    const { observer } = this.#environment;
    const outcome = this.#stream.onRequest(request);
    if (outcome.answer === "ack") observer.onAck?.(this, request.typeUrl);
    else if (outcome.answer === "nack") observer.onNack?.(this, request.typeUrl, outcome.nack ?? null);
    else if (outcome.answer === "stale") observer.onStaleNonce?.(this, request.typeUrl);
    if (outcome.fault === undefined) this.#flush();
    else this.close(outcome.fault.code, outcome.fault.message);
  }

  push(changed: ChangedResources, version?: string): void {
    if (this.#closed || this.#stream === null) return;
    this.#stream.push(changed, version ?? this.#environment.versions.advance());
    this.#flush();
  }

  status(): ConnectionStatus {
    const { connectionId, node, mode, peerAddress, connectedAt } = this;
    return { connectionId, node, mode, peerAddress, connectedAt, watches: this.#watches().map(watchStatus) };
  }

  resources(typeUrl: string): ResourceStatus[] {
    const watch = this.#stream?.watches.get(typeUrl);
    return watch === undefined ? [] : resourceStatuses(watch);
  }

  close(code: number, message: string): void {
    if (this.#closed) return;
    this.onEnd(message);
    this.#sink.end(code, message);
  }

  /** The stream is over, whoever ended it. */
  onEnd(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of [this.#ackTimer, this.#writeTimer, this.#ageTimer]) timer?.cancel();
    if (this.#session === null) return;
    this.#session.onClose();
    this.#environment.onClosed(this);
    this.#environment.observer.onDisconnect?.(this, reason);
  }

  #watches() {
    return this.#stream === null ? [] : [...this.#stream.watches];
  }

  /** Sends what is due, one response at a time. A push from within (session, observer) is picked up too. */
  #flush(): void {
    if (this.#busy || this.#writing || this.#closed || this.#stream === null) return;
    this.#busy = true;
    const { clock, observer } = this.#environment;
    const start = clock.monotonic();
    const outgoing = this.#stream.poll();
    const generateTime = clock.monotonic() - start;
    this.#busy = false;
    if (outgoing === null) {
      this.#waitForAck();
      return;
    }
    const { typeUrl, resources, removed, bytes } = outgoing;
    observer.onSent?.(this, { typeUrl, resources, removed, bytes, generateTime });
    this.#write(outgoing.response, typeUrl);
  }

  #write(response: Response, typeUrl: string): void {
    const { clock, observer, timeouts } = this.#environment;
    const start = clock.monotonic();
    this.#writing = true;
    this.#writeTimer = clock.after(timeouts.write, () => {
      observer.onWriteTimeout?.(this);
      this.close(StatusCode.deadlineExceeded, "the client has not read a response in time");
    });
    this.#sink.write(response, () => {
      this.#writing = false;
      this.#writeTimer?.cancel();
      observer.onWritten?.(this, typeUrl, clock.monotonic() - start);
      this.#flush();
    });
  }

  /** A push that waits for an answer must not wait for ever: there are clients that never answer. */
  #waitForAck(): void {
    const { clock, observer, timeouts } = this.#environment;
    if (this.#ackTimer !== null || this.#stream?.watches.heldBack !== true) return;
    this.#ackTimer = clock.after(timeouts.ack, () => {
      this.#ackTimer = null;
      if (this.#stream?.watches.releaseUnanswered(clock.now() - timeouts.ack)) observer.onAckTimeout?.(this);
      this.#flush();
    });
  }
}
