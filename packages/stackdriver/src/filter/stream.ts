import { CONTINUE, REQUEST_HEADERS, StreamContext, type StreamHandle } from "@mixerless/sdk";
import { type Attributes, textOf } from "./attributes.ts";
import type { StreamKind } from "./combinations.ts";
import { ConnectionReport } from "./connection-report.ts";
import { codeOfGrpcStatus } from "./grpc-codes.ts";
import type { Setup } from "./setup.ts";

const GRPC = /^application\/grpc(\+|$)/;
const NANOSECONDS_PER_MILLISECOND = 1e6;

/** What streams use of their root. */
export interface StreamOwner {
  /** Nanoseconds since the epoch. */
  now(): number;
  /** Lets the connection report at intervals. */
  watch(connection: StackdriverStream): void;
  unwatch(connection: StackdriverStream): void;
}

/** One request, or one connection. */
export class StackdriverStream extends StreamContext {
  readonly #root: StreamOwner;
  /** Null: nothing is exported. */
  readonly #setup: Setup | null;
  #connection: ConnectionReport | null = null;

  constructor(host: StreamHandle, root: StreamOwner, setup: Setup | null) {
    super(host);
    this.#root = root;
    this.#setup = setup;
  }

  override onNewConnection(): number {
    if (this.#setup !== null) {
      this.#connection = new ConnectionReport(this, this.#setup, this.#root.now() / NANOSECONDS_PER_MILLISECOND);
      this.#root.watch(this);
    }
    return CONTINUE;
  }

  override onLog(): void {
    if (this.#connection !== null) {
      this.#connection.close(this.#root.now() / NANOSECONDS_PER_MILLISECOND);
      this.#root.unwatch(this);
    } else if (this.#setup !== null) this.#logRequest(this.#setup);
  }

  override onDelete(): void {
    this.#root.unwatch(this);
  }

  /** Of a connection, at intervals. */
  report(): void {
    this.#connection?.report(this.#root.now() / NANOSECONDS_PER_MILLISECOND);
  }

  #logRequest({ attributes, measurements, log }: Setup): void {
    const { relation, metrics, logLabels } = measurements.find(this, this.#kind(attributes));
    if (metrics !== null) {
      const { requests, requestBytes, responseBytes, latencies } = measurements.of;
      const duration = this.getNumber(attributes.duration, -1);
      metrics.add(requests, 1);
      metrics.add(requestBytes, this.getNumber(attributes.received, 0));
      metrics.add(responseBytes, this.getNumber(attributes.sent, 0));
      if (duration >= 0) metrics.add(latencies, duration / NANOSECONDS_PER_MILLISECOND);
    }
    if (log.enabled) log.logRequest(this, relation, logLabels);
  }

  #kind(attributes: Attributes): StreamKind {
    const operation = textOf(this, attributes.operation);
    const code = Math.max(0, this.getNumber(attributes.code, 0));
    if (!GRPC.test(this.getHeader(REQUEST_HEADERS, attributes.contentType) ?? ""))
      return { protocol: "http", code, operation: operation || textOf(this, attributes.method) };
    const status = this.getNumber(attributes.grpcStatus, -1);
    return {
      protocol: "grpc",
      code: codeOfGrpcStatus(status, code),
      operation: operation || textOf(this, attributes.urlPath),
    };
  }
}
