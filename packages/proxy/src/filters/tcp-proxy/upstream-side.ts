import type { Transport, TransportHandler } from "../../transport/transport.ts";

/** Who hears of the upstream half of a joined connection. */
export interface UpstreamSideOwner {
  upstreamData(buffer: Buffer, start: number, end: number): void;
  upstreamDrained(): void;
  upstreamEnded(): void;
  upstreamClosed(error: Error | null): void;
}

/** The upstream half of a joined connection. */
export class UpstreamSide implements TransportHandler {
  readonly #transport: Transport;
  readonly #owner: UpstreamSideOwner;

  constructor(transport: Transport, owner: UpstreamSideOwner) {
    this.#transport = transport;
    this.#owner = owner;
    transport.setHandler(this);
  }

  get congested(): boolean {
    return this.#transport.congested;
  }

  send(buffer: Buffer, start: number, end: number): void {
    this.#transport.append(buffer, start, end);
  }
  pause(): void {
    this.#transport.pause();
  }
  resume(): void {
    this.#transport.resume();
  }
  end(): void {
    this.#transport.end();
  }
  destroy(): void {
    this.#transport.destroy();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.#owner.upstreamData(buffer, start, end);
  }
  onDrain(): void {
    this.#owner.upstreamDrained();
  }
  onEnd(): void {
    this.#owner.upstreamEnded();
  }
  onClose(error: Error | null): void {
    this.#owner.upstreamClosed(error);
  }
}
