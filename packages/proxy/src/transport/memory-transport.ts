import type { Flushable } from "./flush-queue.ts";
import { FlushQueue } from "./flush-queue.ts";
import { socketAddress } from "./socket-address.ts";
import type { ConnectionInfo, SocketAddress, Transport, TransportHandler } from "./transport.ts";
import { ConnectionIds, HIGH_WATERMARK } from "./transport-factory.ts";

/** Runs a task after the current one, in the order of the calls. */
export type Scheduler = (task: () => void) => void;

export interface MemoryTransportOptions {
  /** Default `process.nextTick`, which virtual time lets settle. */
  readonly schedule?: Scheduler;
  /** Bytes not yet read by the peer above which a transport is congested. Default 256 KiB. */
  readonly highWatermark?: number;
  /** Default half the high watermark. */
  readonly lowWatermark?: number;
  /** Largest range of one `onData`. Default 64 KiB, as a socket reads. */
  readonly readBytes?: number;
}

/** What both ends of a pair, and all pairs of a network, have in common. */
export class MemoryMedium {
  readonly schedule: Scheduler;
  readonly flushes: FlushQueue;
  readonly highWatermark: number;
  readonly lowWatermark: number;
  readonly readBuffer: Buffer;
  readonly ids: ConnectionIds;

  constructor(options: MemoryTransportOptions = {}, ids: ConnectionIds = new ConnectionIds()) {
    this.schedule = options.schedule ?? process.nextTick;
    this.flushes = new FlushQueue(this.schedule);
    this.highWatermark = options.highWatermark ?? HIGH_WATERMARK;
    this.lowWatermark = options.lowWatermark ?? this.highWatermark / 2;
    this.readBuffer = Buffer.alloc(options.readBytes ?? 64 * 1024);
    this.ids = ids;
  }

  /** Two ends of one connection; the first is the one that connected. */
  pair(client: SocketAddress, server: SocketAddress): [MemoryTransport, MemoryTransport] {
    const near = new MemoryTransport(this, info(this.ids.next(), client, server));
    const far = new MemoryTransport(this, info(this.ids.next(), server, client));
    near.join(far);
    far.join(near);
    return [near, far];
  }
}

/** Two transports joined in memory, for tests. The first is the client's. */
export function createMemoryPair(options: MemoryTransportOptions = {}): [Transport, Transport] {
  const client = socketAddress("127.0.0.1", 40000);
  const server = socketAddress("127.0.0.1", 80);
  return new MemoryMedium(options).pair(client, server);
}

function info(id: number, localAddress: SocketAddress, remoteAddress: SocketAddress): ConnectionInfo {
  return { id, localAddress, remoteAddress, tls: null, requestedServerName: null };
}

/**
 * One end of a connection without sockets. It behaves as a TCP socket does where a proxy can tell: a
 * peer that closes with unread data resets the connection, and so does sending to a peer that is gone.
 * Like a socket's, its read buffer is shared, and it is wiped after each call: who keeps a range
 * without copying it finds zeros.
 */
export class MemoryTransport implements Transport, Flushable {
  readonly connection: ConnectionInfo;
  bytesRead = 0;
  bytesWritten = 0;

  readonly #medium: MemoryMedium;
  #peer: MemoryTransport | null = null;
  #handler: TransportHandler | null = null;

  #outgoing: Buffer[] = [];
  #outgoingBytes = 0;
  #congested = false;
  /** Arrived and not delivered. */
  #incoming: Buffer[] = [];
  #incomingBytes = 0;

  #paused = false;
  #pumping = false;
  #ended = false;
  #peerEnded = false;
  #endDelivered = false;
  #destroyed = false;
  #error: Error | null = null;
  #closeDelivered = false;

  constructor(medium: MemoryMedium, connection: ConnectionInfo) {
    this.#medium = medium;
    this.connection = connection;
  }

  join(peer: MemoryTransport): void {
    this.#peer = peer;
  }

  setHandler(handler: TransportHandler): void {
    this.#handler = handler;
    this.#pump();
  }

  append(buffer: Buffer, start: number, end: number): void {
    if (this.writable && end > start) this.#gather(Buffer.from(buffer.subarray(start, end)));
  }

  appendLatin1(text: string): void {
    if (this.writable && text !== "") this.#gather(Buffer.from(text, "latin1"));
  }

  flush(): void {
    const bytes = this.#outgoing;
    if (bytes.length === 0) return;
    this.#outgoing = [];
    this.bytesWritten += this.#outgoingBytes;
    this.#outgoingBytes = 0;
    if (!this.#destroyed) this.#peer?.arrive(bytes);
  }

  get congested(): boolean {
    return this.#congested && this.writable;
  }

  get unsent(): number {
    return this.#destroyed ? 0 : this.#outgoingBytes + this.#unread;
  }

  get writable(): boolean {
    return !this.#ended && !this.#destroyed;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  end(): void {
    if (!this.writable) return;
    this.flush();
    this.#ended = true;
    this.#peer?.arriveEnd();
    this.#pump();
  }

  destroy(error?: Error): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#outgoing = [];
    this.#error = error ?? null;
    const lost = this.#incomingBytes > 0;
    this.#incoming = [];
    this.#incomingBytes = 0;
    if (lost) this.#peer?.reset();
    else if (!this.#ended) this.#peer?.arriveEnd();
    this.#pump();
  }

  /** From the peer: bytes. */
  arrive(chunks: Buffer[]): void {
    if (this.#destroyed) {
      this.#peer?.reset();
      return;
    }
    for (const chunk of chunks) {
      this.#incoming.push(chunk);
      this.#incomingBytes += chunk.length;
    }
    this.#pump();
  }

  /** From the peer: it will send no more. */
  arriveEnd(): void {
    this.#peerEnded = true;
    this.#pump();
  }

  /** From the peer: the connection is lost. */
  reset(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#incoming = [];
    this.#error = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    this.#pump();
  }

  /** From the peer: it has read; `left` bytes wait there. */
  drained(left: number): void {
    if (!this.#congested || left + this.#outgoingBytes > this.#medium.lowWatermark) return;
    this.#congested = false;
    this.#medium.schedule(() => {
      if (this.writable) this.#handler?.onDrain();
    });
  }

  #gather(bytes: Buffer): void {
    if (this.#outgoing.length === 0) this.#medium.flushes.add(this);
    this.#outgoing.push(bytes);
    this.#outgoingBytes += bytes.length;
    if (this.#outgoingBytes + this.#unread > this.#medium.highWatermark) this.#congested = true;
  }

  get #unread(): number {
    return this.#peer === null ? 0 : this.#peer.#incomingBytes;
  }

  /** Delivers what there is to deliver, one call for each task. */
  #pump(): void {
    if (this.#pumping || this.#handler === null) return;
    this.#pumping = true;
    this.#medium.schedule(() => {
      this.#pumping = false;
      if (this.#deliverOne()) this.#pump();
    });
  }

  /** False when nothing was left to deliver. */
  #deliverOne(): boolean {
    const handler = this.#handler;
    if (handler === null || this.#closeDelivered) return false;
    if (!this.#destroyed && !this.#paused) {
      if (this.#incomingBytes > 0) {
        this.#deliverData(handler);
        return true;
      }
      if (this.#peerEnded && !this.#endDelivered) {
        this.#endDelivered = true;
        handler.onEnd();
        return true;
      }
    }
    if (!this.#destroyed && !(this.#ended && this.#endDelivered)) return false;
    this.#destroyed = true;
    this.#closeDelivered = true;
    handler.onClose(this.#error);
    return false;
  }

  #deliverData(handler: TransportHandler): void {
    const buffer = this.#medium.readBuffer;
    const length = this.#takeInto(buffer);
    this.bytesRead += length;
    handler.onData(buffer, 0, length);
    buffer.fill(0, 0, length);
    this.#peer?.drained(this.#incomingBytes);
  }

  #takeInto(buffer: Buffer): number {
    let filled = 0;
    while (filled < buffer.length) {
      const chunk = this.#incoming[0];
      if (chunk === undefined) break;
      const copied = chunk.copy(buffer, filled);
      filled += copied;
      if (copied === chunk.length) this.#incoming.shift();
      else this.#incoming[0] = chunk.subarray(copied);
    }
    this.#incomingBytes -= filled;
    return filled;
  }
}
