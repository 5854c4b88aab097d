import { type ExpressionHandle, Property, type RootContext, type StreamContext, toInt } from "@mixerless/sdk";
import type { StackdriverConfig } from "../config/plugin-config.ts";
import { type Attributes, textOf } from "../filter/attributes.ts";
import type { Relation } from "../filter/combinations.ts";
import { known } from "../filter/text.ts";
import type { LogLine } from "./entry.ts";
import { EntryLabels } from "./entry-labels.ts";
import { RequestFacts } from "./http-request.ts";
import type { Labels } from "./log-labels.ts";

/** In which part of its life a connection is. */
export type ConnectionState = "OPEN" | "CONNECTED" | "CLOSE";

export interface AccessLogParts {
  readonly root: RootContext;
  readonly attributes: Attributes;
  readonly config: StackdriverConfig;
  readonly isServer: boolean;
  readonly project: string;
  /** Gives each entry a name by which a repeated one is known. */
  readonly nextId: () => string;
  readonly write: (line: LogLine) => void;
}

/** What a connection has carried so far. */
export interface ConnectionBytes {
  readonly sent: number;
  readonly received: number;
}

const ERROR_CODE = 400;

/** Decides which streams of one side are logged, and writes their entries [telemetry §5.4]. */
export class AccessLog {
  readonly #parts: AccessLogParts;
  readonly #labels: EntryLabels;
  readonly #requests: RequestFacts;
  readonly #filter: ExpressionHandle | null;
  readonly #source = new Property(["source", "address"]);
  readonly #destination = new Property(["destination", "address"]);

  constructor(parts: AccessLogParts) {
    const { root, attributes, config, project } = parts;
    this.#parts = parts;
    this.#labels = new EntryLabels(root, attributes, config);
    this.#requests = new RequestFacts(attributes, project);
    this.#filter = config.logFilter === "" ? null : root.expression(config.logFilter);
  }

  /** Whether any stream can be logged. */
  get enabled(): boolean {
    const { isServer, config } = this.#parts;
    return (isServer && config.serverLogging) || config.accessLogging !== "NONE";
  }

  logRequest(stream: StreamContext, relation: Relation, labels: Labels): void {
    if (!this.#wants(stream) || this.#labels.verdict(stream) === "no" || !this.#passes(stream)) return;
    this.#parts.write({
      insertId: this.#parts.nextId(),
      time: stream.getNumber(this.#parts.attributes.startTime, 0) / 1e6,
      ...{ shared: labels, labels: this.#labels.of(stream) },
      ...{ request: this.#requests.request(stream, relation), trace: this.#requests.trace(stream) },
    });
  }

  /** Whether a connection is logged; to be asked once for each, as its filter is evaluated once. */
  passesConnection(stream: StreamContext): boolean {
    return this.enabled && this.#passes(stream);
  }

  /** `time` is in milliseconds since the epoch. */
  logConnection(
    stream: StreamContext,
    relation: Relation,
    labels: Labels,
    { state, time, bytes }: { state: ConnectionState; time: number; bytes: ConnectionBytes },
  ): void {
    if (!this.#wants(stream)) return;
    const [sourceIp, sourcePort] = splitAddress(textOf(stream, this.#source));
    const [destinationIp, destinationPort] = splitAddress(textOf(stream, this.#destination));
    const { source, destination } = relation;
    const from = known(labels.source_canonical_service ?? source.workload);
    const to = known(labels.destination_canonical_service ?? (relation.serviceName || destination.workload));
    this.#parts.write({
      insertId: this.#parts.nextId(),
      ...{ time, text: `${from} --> ${to}`, shared: labels },
      labels: {
        ...this.#labels.of(stream),
        ...{ source_ip: sourceIp, source_port: sourcePort },
        ...{ destination_ip: destinationIp, destination_port: destinationPort },
        total_sent_bytes: String(bytes.sent),
        total_received_bytes: String(bytes.received),
        connection_state: state,
      },
    });
  }

  /** An error: a code from 400 on, or a flag. */
  hasFailed(stream: StreamContext): boolean {
    const { attributes } = this.#parts;
    return toInt(stream.getNumber(attributes.code, 0)) >= ERROR_CODE || stream.getNumber(attributes.flags, 0) !== 0;
  }

  #wants(stream: StreamContext): boolean {
    const { isServer, config } = this.#parts;
    if ((isServer && config.serverLogging) || config.accessLogging === "FULL") return true;
    return config.accessLogging === "ERRORS_ONLY" && this.hasFailed(stream);
  }

  /** An expression that can't be evaluated keeps nothing out. */
  #passes(stream: StreamContext): boolean {
    return this.#filter === null || this.#filter.evaluate(stream.host) !== "false";
  }
}

function splitAddress(address: string): [ip: string, port: string] {
  const at = address.lastIndexOf(":");
  return at < 0 ? [address, ""] : [address.slice(0, at), address.slice(at + 1)];
}
