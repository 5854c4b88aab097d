import { fromBinary, type Message } from "@bufbuild/protobuf";
import type { Clock } from "@mixerless/clock";
import { BootstrapSchema } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { ConfigStreamOptions } from "../config/config-stream.ts";
import type { IncomingUpdate } from "../config/resource-intake.ts";
import { SCHEMAS } from "../config/resource-kinds.ts";
import type { StateReaderTable } from "../expression/state-reader.ts";
import { describeFaults } from "../network/config-fault.ts";
import { createProxy, type Proxy as DataPlaneProcess } from "../proxy.ts";
import type { ProxyOptions } from "../proxy-options.ts";
import { SecretStore } from "../tls/secret-store.ts";
import { Answers } from "./answers.ts";
import type { CarriedUpdate, FromWorker, ToWorker, WorkerState } from "./messages.ts";

export interface WorkerOptions {
  readonly clock: Clock;
  readonly extensions: ProxyOptions["extensions"];
  readonly closeExtensions?: ProxyOptions["closeExtensions"];
  readonly ownModules?: ProxyOptions["ownModules"];
  readonly states?: StateReaderTable;
  readonly modules?: ProxyOptions["modules"];
  readonly log: (message: string) => void;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly send: (message: FromWorker) => void;
  /** The worker has closed and may end. */
  readonly onEnd: () => void;
}

/** Milliseconds between two looks at what the primary should know. */
const REPORT_INTERVAL = 100;

/** The data plane of one worker process. It does what the primary says, and nothing of its own accord. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #secrets = new SecretStore((names) => this.#options.send({ type: "wants", secrets: [...names] }));
  #proxy: DataPlaneProcess | null = null;
  #answers: Answers | null = null;
  #onUpdate: ConfigStreamOptions["onUpdate"] | null = null;
  #early: CarriedUpdate[] = [];
  #drains = 0;
  #reported = "";

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case "start":
        void this.#start(message).catch((error: unknown) => {
          this.#options.send({ type: "failed", reason: error instanceof Error ? error.message : String(error) });
        });
        return;
      case "update":
        if (this.#onUpdate === null) this.#early.push(message.update);
        else this.#take(message.update);
        return;
      case "secret":
        if (message.value === null) this.#secrets.remove(message.name);
        else this.#secrets.set(message.name, message.value);
        return;
      case "drain":
        this.#drains++;
        this.#proxy?.drain(message.request);
        this.#report();
        return;
      case "reopen":
        this.#proxy?.reopenLogs();
        return;
      case "stop":
        void (this.#proxy?.close() ?? Promise.resolve()).finally(this.#options.onEnd);
        return;
      case "ask":
        void this.#answers?.asked(message);
        return;
      case "next":
        void this.#answers?.next(message.id);
        return;
      case "cancel":
        this.#answers?.cancel(message.id);
        return;
    }
  }

  async #start({ bootstrap, version, dynamic, services }: Extract<ToWorker, { type: "start" }>): Promise<void> {
    const { clock, extensions, ownModules = {}, modules, states = {}, log, random, uuid, send } = this.#options;
    const { closeExtensions } = this.#options;
    const decoded = fromBinary(BootstrapSchema, bootstrap);
    const proxy = createProxy({
      ...{ bootstrap: decoded, clock, extensions, ownModules, modules, states, log, random, uuid, version },
      closeExtensions,
      onQuit: () => {},
      parts: {
        series: "counted",
        services,
        secrets: this.#secrets,
        openStream: async (_bootstrap, stream) => (dynamic ? this.#openStream(stream) : null),
      },
    });
    this.#proxy = proxy;
    this.#answers = new Answers(proxy.adminHandlers(), send);
    await proxy.start();
    this.#report();
    send({ type: "started" });
    this.#watch();
  }

  /** What the primary's stream to the control plane brings, in its order. */
  #openStream({ onUpdate }: ConfigStreamOptions) {
    this.#onUpdate = onUpdate;
    // Not before whoever opens the stream has it.
    setImmediate(() => {
      for (const update of this.#early) this.#take(update);
      this.#early = [];
    });
    // The primary speaks to the control plane; what a worker would say stays here.
    const silent = { subscribe: () => {}, subscribeSecrets: () => {}, reportHealth: () => {} };
    return { ...silent, connected: true, close: () => Promise.resolve() };
  }

  #take(update: CarriedUpdate): void {
    const refused = this.#onUpdate?.(decode(update)) ?? [];
    // The primary took the same: it can only be a moment of difference, such as endpoints of a cluster just removed.
    for (const { name, faults } of refused)
      if (update.kind !== "endpoints") this.#options.log(`${name} is not taken: ${describeFaults(faults)}`);
    this.#report();
  }

  #watch(): void {
    this.#report();
    this.#options.clock.after(REPORT_INTERVAL, () => this.#watch());
  }

  #report(): void {
    const proxy = this.#proxy;
    if (proxy === null) return;
    const { ready, activeConnections } = proxy;
    const listeners = proxy.listeners.map(({ name, address, error, connections }) => {
      return { name, address, error, connections };
    });
    const state: WorkerState = { ready, activeConnections, listeners, drains: this.#drains };
    const text = JSON.stringify(state);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#options.send({ type: "state", state });
  }
}

function decode({ kind, version, resources, removed }: CarriedUpdate): IncomingUpdate {
  return {
    ...{ kind, version, removed },
    resources: resources.map(({ name, version, bytes }) => {
      const message: Message = fromBinary(SCHEMAS[kind], bytes);
      return { name, version, message, faults: [] };
    }),
  };
}
