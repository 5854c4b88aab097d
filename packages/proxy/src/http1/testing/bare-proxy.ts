import type {
  ClientConnection,
  RequestDecoder,
  RequestEncoder,
  ResetReason,
  ResponseDecoder,
  ResponseEncoder,
  ServerConnectionCallbacks,
} from "../../http/codec.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import type { Transport } from "../../transport/transport.ts";
import type { ConnectTarget, TransportFactory } from "../../transport/transport-factory.ts";
import type { Http1ClientCodec, Http1ServerCodec } from "../http1-codec.ts";

/** The least that stands between two codecs: every request goes to one upstream, over pooled connections. */
export class BareProxy {
  readonly #server: Http1ServerCodec;
  readonly #client: Http1ClientCodec;
  readonly #factory: TransportFactory;
  readonly #target: ConnectTarget;
  readonly #idle: ClientConnection[] = [];
  readonly open = new Set<ClientConnection>();
  /** Called with each request's headers before they are sent on. */
  onRequest: (headers: HeaderMap) => void = () => {};

  constructor(server: Http1ServerCodec, client: Http1ClientCodec, factory: TransportFactory, target: ConnectTarget) {
    this.#server = server;
    this.#client = client;
    this.#factory = factory;
    this.#target = target;
  }

  accept(transport: Transport): void {
    const callbacks: ServerConnectionCallbacks = {
      onStream: (encoder) => new Exchange(this, encoder),
      onRefused: () => {},
      onLimit: () => {},
      onClose: () => {},
    };
    this.#server.serve(transport, callbacks);
  }

  /** Calls back with a connection that may carry a stream, or null. */
  connect(onConnection: (connection: ClientConnection | null) => void): void {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.available) continue;
      onConnection(idle);
      return;
    }
    this.#factory.connect(
      this.#target,
      {},
      (transport) => onConnection(this.#open(transport)),
      () => onConnection(null),
    );
  }

  #open(transport: Transport): ClientConnection {
    const connection: ClientConnection = this.#client.connect(transport, {
      onIdle: () => this.#idle.push(connection),
      onGoAway: () => {},
      onClose: () => this.open.delete(connection),
    });
    this.open.add(connection);
    return connection;
  }
}

/** One request on its way through, and the response back. */
class Exchange implements RequestDecoder {
  readonly #proxy: BareProxy;
  readonly downstream: ResponseEncoder;
  upstream: RequestEncoder | null = null;
  over = false;

  constructor(proxy: BareProxy, downstream: ResponseEncoder) {
    this.#proxy = proxy;
    this.downstream = downstream;
  }

  onHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#proxy.onRequest(headers);
    this.downstream.pauseReading();
    this.#proxy.connect((connection) => {
      if (connection === null || this.over) {
        this.downstream.reset("connection-failure");
        return;
      }
      this.upstream = connection.newStream(new Answer(this));
      this.upstream.sendHeaders(headers, endStream);
      this.downstream.resumeReading();
    });
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const upstream = this.upstream as RequestEncoder;
    upstream.sendData(buffer, start, end, endStream);
    if (upstream.congested && !endStream) this.downstream.pauseReading();
  }

  onTrailers(trailers: HeaderMap): void {
    this.upstream?.sendTrailers(trailers);
  }

  onReset(reason: ResetReason): void {
    this.over = true;
    this.upstream?.reset(reason);
  }

  onDrain(): void {
    this.upstream?.resumeReading();
  }
}

class Answer implements ResponseDecoder {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  onInformational(headers: HeaderMap): void {
    this.#exchange.downstream.sendInformational(headers);
  }

  onHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#exchange.downstream.sendHeaders(headers, endStream);
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const { downstream } = this.#exchange;
    downstream.sendData(buffer, start, end, endStream);
    if (downstream.congested && !endStream) this.#exchange.upstream?.pauseReading();
  }

  onTrailers(trailers: HeaderMap): void {
    this.#exchange.downstream.sendTrailers(trailers);
  }

  onReset(reason: ResetReason): void {
    this.#exchange.downstream.reset(reason);
  }

  onDrain(): void {
    this.#exchange.downstream.resumeReading();
  }
}
