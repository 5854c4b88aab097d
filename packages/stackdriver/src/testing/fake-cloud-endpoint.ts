import { create, toBinary } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { FakeCloud } from "./fake-cloud.ts";

export interface FakeCloudOptions {
  /** Serves by TLS with these, PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** A free one if left out. */
  readonly port?: number;
}

const METHODS = [
  "/google.monitoring.v3.MetricService/CreateTimeSeries",
  "/google.logging.v2.LoggingServiceV2/WriteLogEntries",
];
const MOST_BYTES = 16 * 1024 * 1024;
/** Both methods answer a message without fields that matter. */
const EMPTY = Buffer.from(toBinary(EmptySchema, create(EmptySchema)));

/** A {@link FakeCloud} behind gRPC, which waits or dies when it is told to. */
export class FakeCloudEndpoint {
  readonly #options: FakeCloudOptions;
  readonly #server = new Server({ "grpc.max_receive_message_length": MOST_BYTES });
  readonly #held: (() => void)[] = [];
  readonly cloud = new FakeCloud();
  /** Calls wait until {@link release}. */
  hold = false;
  port = 0;

  private constructor(options: FakeCloudOptions) {
    this.#options = options;
    const definitions = METHODS.map((path) => [path, { path, ...UNARY }] as const);
    const handlers = METHODS.map((path) => [path, this.#handler(path)] as const);
    this.#server.addService(Object.fromEntries(definitions), Object.fromEntries(handlers));
  }

  /** Starts one on loopback. */
  static async start(options: FakeCloudOptions = {}): Promise<FakeCloudEndpoint> {
    const endpoint = new FakeCloudEndpoint(options);
    await endpoint.#listen();
    return endpoint;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Lets the calls go on that were held. */
  release(): void {
    this.hold = false;
    for (const goOn of this.#held.splice(0)) goOn();
  }

  /** Ends at once, in the middle of whatever is going on. */
  close(): void {
    this.#server.forceShutdown();
  }

  #listen(): Promise<void> {
    const { tls, port = 0 } = this.#options;
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [
            { cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) },
          ]);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => {
        this.port = bound;
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  #handler(path: string) {
    return ({ request, metadata }: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
      const respond = () => {
        const authorization = metadata.get("authorization")[0]?.toString() ?? null;
        const answer = this.cloud.answer(path, request, authorization);
        if (answer.code === 0) done(null, EMPTY);
        else done(answer);
      };
      if (this.hold) this.#held.push(respond);
      else respond();
    };
  }
}

const asItIs = (bytes: Buffer) => bytes;

const UNARY = {
  ...{ requestStream: false, responseStream: false },
  ...{ requestSerialize: asItIs, requestDeserialize: asItIs, responseSerialize: asItIs, responseDeserialize: asItIs },
} as const;
