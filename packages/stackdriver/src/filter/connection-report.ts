import type { StreamContext } from "@mixerless/sdk";
import type { ConnectionState } from "../logs/access-log.ts";
import type { Shared } from "./measurements.ts";
import type { Setup } from "./setup.ts";

const TCP = { protocol: "tcp", code: 0, operation: "" } as const;

/**
 * Measures and logs one TCP connection: at intervals, and at its end [telemetry §5.4]. While its peer may still become
 * known nothing is said of it, since labels are chosen once; errors and long waits end that.
 */
export class ConnectionReport {
  readonly #stream: StreamContext;
  readonly #setup: Setup;
  /** Milliseconds since the epoch. */
  readonly #start: number;
  #shared: Shared | null = null;
  #logs = false;
  #logged = false;
  #sent = 0;
  #received = 0;

  constructor(stream: StreamContext, setup: Setup, start: number) {
    this.#stream = stream;
    this.#setup = setup;
    this.#start = start;
  }

  report(now: number): void {
    this.#stream.activate();
    const { peers, log, patience } = this.#setup;
    const settled = this.#shared !== null || peers.isSettled(this.#stream) || log.hasFailed(this.#stream);
    if (!settled && now - this.#start < patience) return;
    const shared = this.#flush();
    if (this.#logs) this.#log(shared, this.#logged ? "CONNECTED" : "OPEN", now);
  }

  close(now: number): void {
    const shared = this.#flush();
    shared.metrics?.add(this.#setup.measurements.of.closed, 1);
    if (!this.#logs) return;
    if (!this.#logged) this.#log(shared, "OPEN", this.#start);
    this.#log(shared, "CLOSE", now);
  }

  #flush(): Shared {
    const { measurements, attributes, log } = this.#setup;
    const { opened, received, sent } = measurements.of;
    let shared = this.#shared;
    if (shared === null) {
      shared = measurements.find(this.#stream, TCP);
      this.#shared = shared;
      this.#logs = log.passesConnection(this.#stream);
      shared.metrics?.add(opened, 1);
    }
    const sentNow = this.#stream.getNumber(attributes.sent, this.#sent);
    const receivedNow = this.#stream.getNumber(attributes.received, this.#received);
    shared.metrics?.add(sent, sentNow - this.#sent);
    shared.metrics?.add(received, receivedNow - this.#received);
    this.#sent = sentNow;
    this.#received = receivedNow;
    return shared;
  }

  #log({ relation, logLabels }: Shared, state: ConnectionState, time: number): void {
    const bytes = { sent: this.#sent, received: this.#received };
    this.#setup.log.logConnection(this.#stream, relation, logLabels, { state, time, bytes });
    this.#logged = true;
  }
}
