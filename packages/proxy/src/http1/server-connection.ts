import type { Clock, Deadline, DeadlineWheel } from "@mixerless/clock";
import type { ResetReason, ServerConnection, ServerConnectionCallbacks } from "../http/codec.ts";
import type { HeaderMap } from "../http/header-map.ts";
import { H } from "../http/header-name.ts";
import type { ConnectionInfo, Transport } from "../transport/transport.ts";
import { Fault, type Http1Fault } from "./fault.ts";
import { FAULTY, MORE } from "./field-parser.ts";
import { Http1Connection } from "./http1-connection.ts";
import { IncomingBody, NO_BYTES } from "./incoming-body.ts";
import type { ServerLimits } from "./options.ts";
import { answerFault, describeRefusal } from "./refusal.ts";
import type { RequestHead } from "./request-head.ts";
import { type RequestFacts, ServerStream, type ServerStreamHost } from "./server-stream.ts";

/** What the connections of one server codec share. */
export interface ServerShares {
  readonly limits: ServerLimits;
  readonly head: RequestHead;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
}

/** Between requests; reading a body; request complete, response not; tunnel; discarding what still comes. */
type State = "head" | "body" | "answering" | "tunnel" | "lingering";

/**
 * A downstream HTTP/1.1 connection. Requests are taken one by one: the next is not looked at before the
 * response to the last is complete, so responses are in order and pipelining costs one read of memory.
 */
export class Http1ServerConnection extends Http1Connection implements ServerConnection, ServerStreamHost {
  readonly #shares: ServerShares;
  readonly #callbacks: ServerConnectionCallbacks;
  readonly #body = new IncomingBody();
  #state: State = "head";
  #stream: ServerStream | null = null;
  #requests = 0;
  #draining = false;
  #closeReason: ResetReason = "connection-termination";
  #idleSince: number;
  #headDeadline: Deadline | null = null;
  #idleDeadline: Deadline | null = null;
  #lingerDeadline: Deadline | null = null;
  #lingered = 0;

  constructor(transport: Transport, callbacks: ServerConnectionCallbacks, shares: ServerShares) {
    super(transport);
    this.#callbacks = callbacks;
    this.#shares = shares;
    this.#idleSince = shares.clock.monotonic();
    if (shares.limits.idleTimeout > 0) this.#watchIdle(shares.limits.idleTimeout);
    transport.setHandler(this);
  }

  get connection(): ConnectionInfo {
    return this.transport.connection;
  }

  get activeStreams(): number {
    return this.#stream === null ? 0 : 1;
  }

  drain(): void {
    this.#draining = true;
  }

  close(): void {
    this.#closeReason = "local";
    this.transport.destroy();
  }

  // What the transport reports.

  onDrain(): void {
    if (this.#stream !== null) this.#stream.decoder.onDrain();
    else this.changed();
  }

  onEnd(): void {
    const stream = this.#stream;
    if (stream === null) {
      this.#linger();
    } else if (this.#state === "tunnel") {
      stream.incomingDone = true;
      if (stream.outgoingDone) this.#stream = null;
      stream.decoder.onData(NO_BYTES, 0, 0, true);
    } else {
      // As Envoy does, a client that ends is taken to be gone, also when its request is complete.
      this.#detach(stream);
      this.transport.destroy();
      stream.decoder.onReset("connection-termination");
    }
  }

  onClose(_error: Error | null): void {
    this.over = true;
    this.dropRest();
    this.#headDeadline?.cancel();
    this.#idleDeadline?.cancel();
    this.#lingerDeadline?.cancel();
    const stream = this.#stream;
    if (stream !== null) {
      this.#detach(stream);
      stream.decoder.onReset(this.#closeReason);
    }
    this.#callbacks.onClose();
  }

  // What the stream asks for.

  closesAfter(stream: ServerStream, endStream: boolean): boolean {
    const { maxRequests } = this.#shares.limits;
    if (this.#draining) stream.closeAfterResponse();
    if (maxRequests > 0 && this.#requests >= maxRequests && !stream.closeRequested) {
      stream.closeAfterResponse();
      this.#callbacks.onLimit("max-requests");
    }
    // A response that is over before its request leaves bytes behind that nobody will read.
    if (endStream && !stream.incomingDone) stream.closeAfterResponse();
    // A declined tunnel: what follows may have been meant for it.
    if (stream.request.upgrade || stream.request.connect) stream.closeAfterResponse();
    return stream.closeRequested;
  }

  beginTunnel(): void {
    this.#state = "tunnel";
    this.#body.beginRaw();
    this.changed();
  }

  outgoingEnded(truncated: boolean): void {
    const stream = this.#stream;
    if (stream === null) return;
    if (truncated) {
      this.#detach(stream);
      this.transport.flush();
      this.transport.destroy();
    } else if (this.#state === "tunnel") {
      if (stream.incomingDone) this.#stream = null;
      this.transport.end();
    } else if (stream.closeRequested || !stream.incomingDone) {
      this.#detach(stream);
      this.#linger();
    } else {
      this.#nextRequest();
    }
  }

  abandon(): void {
    this.#stream = null;
    this.#state = "lingering";
    this.dropRest();
    this.transport.flush();
    this.transport.destroy();
  }

  readingChanged(): void {
    this.changed();
  }

  // The incoming bytes.

  protected override held(): boolean {
    switch (this.#state) {
      case "answering":
        return true;
      case "head":
        // Who does not read responses gets no further ones.
        return this.transport.congested;
      default:
        return this.stopped();
    }
  }

  protected override stopped(): boolean {
    return this.#stream !== null && this.#stream.paused > 0;
  }

  protected override lineLimit(first: boolean): number {
    const { limits } = this.#shares;
    return first && this.#state === "head" ? limits.maxRequestLineBytes : limits.maxHeadBytes;
  }

  protected override step(buffer: Buffer, start: number, end: number): number {
    if (this.#state === "head") return this.#stepHead(buffer, start, end);
    const stream = this.#stream;
    if (stream === null) return this.#discard(start, end);
    const next = this.#body.step(buffer, start, end, stream, this.#shares.head.fields);
    if (next === FAULTY) {
      this.#breakOff(stream, this.#body.fault as Http1Fault);
      return end;
    }
    if (stream.incomingDone && this.#stream === stream) this.#requestComplete(stream);
    return next;
  }

  #stepHead(buffer: Buffer, start: number, end: number): number {
    const { head } = this.#shares;
    const next = head.parse(buffer, start, end);
    if (next === MORE) {
      this.#watchHead();
      return MORE;
    }
    this.#headDeadline?.cancel();
    this.#headDeadline = null;
    if (next === FAULTY) {
      this.#refuse(head.fields.fault as Http1Fault, buffer, end - start);
      return end;
    }
    this.#begin(buffer, start, next);
    return next;
  }

  #begin(buffer: Buffer, start: number, end: number): void {
    const { head } = this.#shares;
    const { framing } = head.fields;
    const bodied = framing.transferEncodings > 0 || framing.contentLength > 0;
    const http10 = head.minorVersion === 0;
    const wantsUpgrade = framing.upgrades > 0 && framing.connectionUpgrade;
    const upgrade = wantsUpgrade && !framing.upgradeToH2c && !bodied && !http10;
    const facts: RequestFacts = {
      http10,
      head: head.isHead,
      connect: head.isConnect,
      upgrade,
      close: http10 ? !framing.keepAlive : framing.close,
    };
    if (framing.transferEncodings > 0) this.#body.beginChunks();
    else if (bodied) this.#body.beginLength(framing.contentLength);
    const headers = head.build(buffer, end, this.connection.tls !== null);
    if (framing.upgrades > 0 && !upgrade) headers.remove(H.upgrade);
    this.#open(headers, facts, end - start, bodied);
  }

  #open(headers: HeaderMap, facts: RequestFacts, headBytes: number, bodied: boolean): void {
    const stream = new ServerStream(this, facts, headBytes);
    this.#stream = stream;
    this.#requests++;
    // The bytes of a tunnel are held back until the response has opened it.
    const tunnel = facts.upgrade || facts.connect;
    this.#state = bodied && !tunnel ? "body" : "answering";
    stream.incomingDone = !bodied && !tunnel;
    stream.decoder = this.#callbacks.onStream(stream);
    if (!stream.dead) stream.decoder.onHeaders(headers, stream.incomingDone);
  }

  #requestComplete(stream: ServerStream): void {
    if (this.#state !== "body") return;
    if (stream.outgoingDone) this.#nextRequest();
    else this.#state = "answering";
  }

  #nextRequest(): void {
    this.#stream = null;
    this.#state = "head";
    this.#idleSince = this.#shares.clock.monotonic();
    this.changed();
  }

  // Ends.

  #detach(stream: ServerStream): void {
    stream.dead = true;
    this.#stream = null;
    this.#state = "lingering";
  }

  #refuse(fault: Http1Fault, buffer: Buffer, received: number): void {
    const { head } = this.#shares;
    const isHead = head.method(buffer) === "HEAD";
    const sent = answerFault(this.transport, fault, isHead);
    const refusal = describeRefusal(fault, head, buffer, received, sent);
    this.#linger();
    this.#callbacks.onRefused(refusal);
  }

  /** A fault in a body whose head has been passed on. */
  #breakOff(stream: ServerStream, fault: Http1Fault): void {
    this.#detach(stream);
    stream.refusal = { status: stream.headersSent ? 0 : fault.status, code: fault.code };
    if (stream.headersSent) {
      this.transport.flush();
      this.transport.destroy();
    } else {
      stream.wireBytesSent += answerFault(this.transport, fault, stream.request.head);
      this.#linger();
    }
    stream.decoder.onReset("protocol-error");
  }

  /**
   * Ends the connection so that the client sees the answer: closing with bytes unread would reset it,
   * and the client's system might throw the answer away (RFC 9112 §9.6).
   */
  #linger(): void {
    this.#state = "lingering";
    this.dropRest();
    this.transport.end();
    if (this.#lingerDeadline === null) this.#waitForClient(this.transport.unsent, 0);
    this.changed();
  }

  /** Closes a moment after all was sent; a client that reads slowly is given the time, one that reads nothing a limit. */
  #waitForClient(unsent: number, stalled: number): void {
    const { limits, wheel } = this.#shares;
    this.#lingerDeadline = wheel.after(limits.lingerTimeout, () => {
      const left = this.transport.unsent;
      const waited = left < unsent ? 0 : stalled + limits.lingerTimeout;
      if ((left === 0 && unsent === 0) || waited >= limits.flushTimeout) this.transport.destroy();
      else this.#waitForClient(left, waited);
    });
  }

  #discard(start: number, end: number): number {
    this.#lingered += end - start;
    if (this.#lingered > this.#shares.limits.lingerBytes) this.transport.destroy();
    return end;
  }

  #watchHead(): void {
    const { limits, wheel } = this.#shares;
    if (limits.headersTimeout === 0) return;
    this.#headDeadline ??= wheel.after(limits.headersTimeout, () => this.#headTimedOut());
  }

  #headTimedOut(): void {
    const { rest } = this;
    this.#headDeadline = null;
    if (rest === null || this.#state !== "head") return;
    // The parser is shared and has seen other heads since.
    this.#shares.head.parse(rest.bytes, rest.start, rest.end);
    this.#refuse(Fault.headTimeout, rest.bytes, rest.end - rest.start);
  }

  /** One deadline for the life of the connection, moved on when it finds that there was work. */
  #watchIdle(delay: number): void {
    this.#idleDeadline = this.#shares.wheel.after(delay, () => {
      const { clock, limits } = this.#shares;
      const idle = this.#stream === null ? clock.monotonic() - this.#idleSince : 0;
      if (this.#state === "lingering") return;
      if (idle < limits.idleTimeout) {
        this.#watchIdle(limits.idleTimeout - idle);
        return;
      }
      this.#callbacks.onLimit("idle-timeout");
      this.#linger();
    });
  }
}
