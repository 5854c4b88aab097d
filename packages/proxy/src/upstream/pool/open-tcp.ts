import type { Transport, TransportHandler } from "../../transport/transport.ts";
import type { Cancellable, TcpPoolCallbacks } from "../cluster.ts";
import type { UpstreamHost } from "../upstream-host.ts";
import { connectionClosed, openConnection } from "./open-connection.ts";
import type { PoolContext } from "./pool-context.ts";

/**
 * A connection that no pool keeps, if the limit allows one more. `alpn` takes the place of the cluster's protocols.
 * May call back before it returns; then the result is null.
 */
export function openTcp(
  context: PoolContext,
  host: UpstreamHost,
  callbacks: TcpPoolCallbacks,
  alpn: readonly string[] | null = null,
): Cancellable | null {
  if (!context.breaker.canConnect) {
    context.stats.upstream_cx_overflow++;
    callbacks.onFailure("overflow", host, "");
    return null;
  }
  return openConnection(
    context,
    host,
    (transport) => callbacks.onReady(new CountedTransport(transport, () => connectionClosed(context, host)), host),
    (reason, details) => callbacks.onFailure(reason, host, details),
    alpn,
  );
}

/** Tells when the connection is gone, whoever its handler is. */
class CountedTransport implements Transport {
  readonly #inner: Transport;
  readonly #onClosed: () => void;

  constructor(inner: Transport, onClosed: () => void) {
    this.#inner = inner;
    this.#onClosed = onClosed;
  }

  get connection() {
    return this.#inner.connection;
  }
  get congested() {
    return this.#inner.congested;
  }
  get unsent() {
    return this.#inner.unsent;
  }
  get writable() {
    return this.#inner.writable;
  }
  get bytesRead() {
    return this.#inner.bytesRead;
  }
  get bytesWritten() {
    return this.#inner.bytesWritten;
  }

  setHandler(handler: TransportHandler): void {
    this.#inner.setHandler({
      onData: (buffer, start, end) => handler.onData(buffer, start, end),
      onDrain: () => handler.onDrain(),
      onEnd: () => handler.onEnd(),
      onClose: (error) => {
        this.#onClosed();
        handler.onClose(error);
      },
    });
  }
  append(buffer: Buffer, start: number, end: number): void {
    this.#inner.append(buffer, start, end);
  }
  appendLatin1(text: string): void {
    this.#inner.appendLatin1(text);
  }
  flush(): void {
    this.#inner.flush();
  }
  pause(): void {
    this.#inner.pause();
  }
  resume(): void {
    this.#inner.resume();
  }
  end(): void {
    this.#inner.end();
  }
  destroy(error?: Error): void {
    this.#inner.destroy(error);
  }
}
