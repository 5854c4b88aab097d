import type { ConnectionInfo, Transport, TransportHandler } from "../../transport/transport.ts";
import { fakeConnectionInfo } from "./fake-connection.ts";

/** A transport whose other end is the test. */
export class TestTransport implements Transport {
  readonly connection: ConnectionInfo = fakeConnectionInfo();
  handler: TransportHandler | null = null;
  sent = "";
  paused = 0;
  congested = false;
  unsent = 0;
  writable = true;
  ended = false;
  destroyed = false;
  bytesRead = 0;
  bytesWritten = 0;

  setHandler(handler: TransportHandler): void {
    this.handler = handler;
  }
  append(buffer: Buffer, start: number, end: number): void {
    if (!this.destroyed) this.sent += buffer.toString("latin1", start, end);
  }
  appendLatin1(text: string): void {
    this.sent += text;
  }
  flush(): void {}
  pause(): void {
    this.paused++;
  }
  resume(): void {
    this.paused = 0;
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
  receive(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    this.handler?.onData(bytes, 0, bytes.length);
    bytes.fill(0);
  }
}
