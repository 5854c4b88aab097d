import { once } from "node:events";
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { type Clock, DeadlineWheel, VirtualClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { decodeJson, formatFault } from "@mixerless/wire";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { createClientCodec } from "../src/codecs.ts";
import { type ClosableGrpcClient, createGrpcClient } from "../src/grpc/create-grpc-client.ts";
import type { GrpcRequest, GrpcStream } from "../src/grpc/grpc-client.ts";
import { SecretStore } from "../src/tls/secret-store.ts";
import { createTlsStats } from "../src/tls/stats.ts";
import { UpstreamTls } from "../src/tls/upstream-tls.ts";
import { createTransportFactory } from "../src/transport/transport-factory.ts";
import { ActiveClusterManager } from "../src/upstream/active-cluster-manager.ts";

/** A peer that speaks HTTP/2 and leaves the rest to the test. */
export class Peer {
  readonly #server: Http2Server;
  readonly sessions = new Set<Http2Session>();
  readonly requests: IncomingHttpHeaders[] = [];
  connections = 0;

  constructor(
    handle: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
    tls: { key: string; cert: string; ca: string } | null = null,
  ) {
    this.#server =
      tls === null ? createServer() : createSecureServer({ ...tls, requestCert: true, rejectUnauthorized: true });
    this.#server.on("session", (session) => {
      this.connections++;
      this.sessions.add(session);
      session.once("close", () => this.sessions.delete(session));
      session.on("error", () => {});
    });
    this.#server.on("stream", (stream, headers) => {
      this.requests.push(headers);
      stream.on("error", () => {});
      handle(stream, headers);
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const session of this.sessions) session.destroy();
    this.#server.close();
  }
}

/** Answers as a gRPC server does: headers, messages, trailers. */
export function answer(stream: ServerHttp2Stream, messages: readonly string[], trailers: Record<string, string>): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  for (const message of messages) stream.write(frame(message));
  stream.end();
}

export function frame(message: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, Buffer.from(message, "latin1")]);
}

/** A gRPC client over a cluster `c` with real sockets; time is virtual. */
export class GrpcWorld {
  readonly clock: VirtualClock;
  readonly secrets = new SecretStore();
  readonly clusters: ActiveClusterManager;
  readonly client: ClosableGrpcClient;
  readonly metrics: MetricStore;
  readonly #wheel: DeadlineWheel;

  constructor(system: Clock) {
    this.clock = new VirtualClock(system.now());
    this.#wheel = new DeadlineWheel(this.clock);
    this.metrics = new MetricStore({ clock: this.clock });
    const transports = createTransportFactory();
    const codec = createClientCodec();
    const { clock, secrets, metrics } = this;
    this.clusters = new ActiveClusterManager({
      ...{ clock, wheel: this.#wheel, random: () => 0.5, resolve: () => Promise.reject(new Error("no names here")) },
      createTls: (config) =>
        new UpstreamTls({ config, secrets, clock, stats: createTlsStats(metrics, "cluster", ["cluster", "c"]) }),
      connector: {
        connect: (target, { tls, alpn }, onConnected, onFailed) => {
          const secure = tls === null ? undefined : tls.secure.bind(tls);
          return transports.connect(
            { host: target.ip, port: target.port },
            {
              secure: secure === undefined ? undefined : (raw, secured, failed) => secure(raw, alpn, secured, failed),
            },
            onConnected,
            onFailed,
          );
        },
        createHttpConnection: (transport, callbacks) => codec.connect(transport, callbacks),
      },
    });
    this.client = createGrpcClient(this.clusters, this.clock);
  }

  cluster(ports: readonly number[], fields: object = {}): void {
    const lbEndpoints = ports.map((portValue) => ({
      endpoint: { address: { socketAddress: { address: "127.0.0.1", portValue } } },
    }));
    const decoded = decodeJson(ClusterSchema, {
      ...{ name: "c", type: "STATIC", connectTimeout: "1s" },
      loadAssignment: { clusterName: "c", endpoints: [{ lbEndpoints }] },
      ...fields,
    });
    if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
    const faults = this.clusters.set(decoded.message);
    if (faults.length > 0) throw new Error(faults.map(({ path, message }) => `${path}: ${message}`).join("\n"));
  }

  call(request: Partial<GrpcRequest> = {}): Call {
    return new Call(this.client, request);
  }

  close(): void {
    this.client.close();
    this.clusters.close();
    this.#wheel.close();
  }
}

/** A call that notes what became of it. */
export class Call {
  readonly events: string[] = [];
  readonly stream: GrpcStream | null;
  readonly closed: Promise<void>;
  #wake: () => void = () => {};
  #close: () => void = () => {};

  constructor(client: ClosableGrpcClient, request: Partial<GrpcRequest>) {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    const say = (event: string) => {
      this.events.push(event);
      this.#wake();
    };
    this.stream = client.open(
      { cluster: "c", authority: "", path: "/svc/Method", metadata: [], timeout: 0, ...request },
      {
        onInitialMetadata: (metadata) => say(`headers ${new Map(metadata).get(":status")}`),
        onMessage: (message) => say(`message ${message.toString("latin1").slice(0, 20)}`),
        onTrailingMetadata: (metadata) => say(`trailers ${new Map(metadata).get("grpc-status")}`),
        onClose: (status, message) => {
          say(`close ${status} ${message}`.trimEnd());
          this.#close();
        },
      },
    );
  }

  send(message: string, endStream = false): this {
    this.stream?.send(Buffer.from(message, "latin1"), endStream);
    return this;
  }

  /** Resolves once so many events have come. */
  async until(count: number): Promise<string[]> {
    while (this.events.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.events;
  }
}
