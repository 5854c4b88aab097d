import type { ClientConnection, ClientConnectionCallbacks, RequestEncoder, ResponseDecoder } from "../../http/codec.ts";
import { HeaderMap } from "../../http/header-map.ts";
import { socketAddress } from "../../transport/socket-address.ts";
import type { ConnectionInfo, SocketAddress, Transport } from "../../transport/transport.ts";
import type { Connector, ConnectSettings } from "../pool/connector.ts";

/** One attempt to connect, answered by the test. */
export interface Attempt {
  readonly target: SocketAddress;
  readonly localAddress: string | null;
  readonly bufferLimit: number | null;
  cancelled: boolean;
  succeed(): FakeConnection;
  fail(code: string): void;
}

/** A connection as the pool sees it; the test plays codec and peer. */
export class FakeConnection implements ClientConnection {
  readonly connection: ConnectionInfo;
  readonly #callbacks: ClientConnectionCallbacks;
  decoder: ResponseDecoder | null = null;
  available = true;
  closed = false;
  requests = 0;

  constructor(connection: ConnectionInfo, callbacks: ClientConnectionCallbacks) {
    this.connection = connection;
    this.#callbacks = callbacks;
  }

  get activeStreams(): number {
    return this.decoder === null ? 0 : 1;
  }

  newStream(decoder: ResponseDecoder): RequestEncoder {
    this.decoder = decoder;
    this.requests++;
    const { connection } = this;
    return {
      connection,
      protocol: "HTTP/1.1",
      congested: false,
      wireBytesReceived: 0,
      wireBytesSent: 0,
      sendHeaders: () => {},
      sendData: () => {},
      sendTrailers: () => {},
      reset: () => this.breakDown(),
      pauseReading: () => {},
      resumeReading: () => {},
    };
  }

  respond(): void {
    const decoder = this.decoder;
    this.decoder = null;
    decoder?.onHeaders(new HeaderMap(), true);
    this.#callbacks.onIdle();
  }

  breakDown(): void {
    const decoder = this.decoder;
    this.decoder = null;
    this.close();
    decoder?.onReset("connection-termination");
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.available = false;
    this.#callbacks.onClose(null);
  }
}

/** A connector whose attempts wait in {@link attempts} until the test answers them. */
export class FakeConnector implements Connector {
  readonly attempts: Attempt[] = [];
  readonly connections: FakeConnection[] = [];
  #nextId = 1;

  connect(
    target: SocketAddress,
    { localAddress, bufferLimit }: ConnectSettings,
    onConnected: (transport: Transport) => void,
    onFailed: (error: Error) => void,
  ) {
    const attempt: Attempt = {
      target,
      localAddress,
      bufferLimit,
      cancelled: false,
      succeed: () => {
        this.#remove(attempt);
        onConnected({ connection: this.#info(target) } as Transport);
        const created = this.connections.at(-1);
        if (created === undefined) throw new Error("no codec was put on the connection");
        return created;
      },
      fail: (code) => {
        this.#remove(attempt);
        onFailed(Object.assign(new Error(code), { code }));
      },
    };
    this.attempts.push(attempt);
    return {
      cancel: () => {
        attempt.cancelled = true;
        this.#remove(attempt);
      },
    };
  }

  createHttpConnection(transport: Transport, callbacks: ClientConnectionCallbacks): ClientConnection {
    const created = new FakeConnection(transport.connection, callbacks);
    this.connections.push(created);
    return created;
  }

  #remove(attempt: Attempt): void {
    const at = this.attempts.indexOf(attempt);
    if (at >= 0) this.attempts.splice(at, 1);
  }

  #info(remoteAddress: SocketAddress): ConnectionInfo {
    const id = this.#nextId++;
    return { id, localAddress: socketAddress("127.0.0.1", 1), remoteAddress, tls: null, requestedServerName: null };
  }
}
