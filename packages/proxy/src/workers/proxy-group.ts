import { clone, toBinary } from "@bufbuild/protobuf";
import type { AdminAddress } from "@mixerless/admin-server";
import { BootstrapSchema } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { ConfigStreamOptions } from "../config/config-stream.ts";
import { openConfigStream } from "../config/open-config-stream.ts";
import type { DataPlane } from "../data-plane.ts";
import type { DrainRequest } from "../listener/drain-sequence.ts";
import type { ListenerSocketFactory } from "../listener/listener-socket.ts";
import { createProxy, type Proxy as OneProcess } from "../proxy.ts";
import type { ProxyOptions } from "../proxy-options.ts";
import type { PluginReport } from "../wasm/plugin-status.ts";
import { groupHandlers } from "./group-admin.ts";
import { groupPlugins } from "./group-plugins.ts";
import { GroupSeries } from "./group-series.ts";
import type { StartWorker, ToWorker, WorkerListener } from "./messages.ts";
import { ResourceMirror } from "./resource-mirror.ts";
import { SecretRelay } from "./secret-relay.ts";
import { type LivingWorker, WorkerGroup } from "./worker-group.ts";

export interface WorkerSettings {
  readonly count: number;
  readonly startWorker: StartWorker;
}

/** The worker that runs what there is to be one of. */
const FIRST_SLOT = 1;

/**
 * A data plane of several processes. The primary has the one stream to the control plane, checks what it brings and
 * hands it on; it has the admin interface; it accepts no traffic. Each worker has listeners, pools and series of its own.
 */
export function createProxyGroup(options: ProxyOptions, settings: WorkerSettings): DataPlane {
  return new ProxyGroup(options, settings);
}

class ProxyGroup implements DataPlane {
  readonly #options: ProxyOptions;
  /** Knows the whole configuration and binds nothing. */
  readonly #primary: OneProcess;
  readonly #group: WorkerGroup;
  readonly #mirror = new ResourceMirror();
  readonly #count: number;
  /** By the number of the worker. */
  readonly #secrets = new Map<number, SecretRelay>();
  readonly series: GroupSeries;
  readonly whenReady: Promise<void>;
  #becomeReady: () => void = () => {};
  #drained: DrainRequest | null = null;

  constructor(options: ProxyOptions, { count, startWorker }: WorkerSettings) {
    const { clock, log } = options;
    this.#options = options;
    this.#count = count;
    this.whenReady = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    this.series = new GroupSeries({
      ...{ clock, log },
      living: () => this.#group.living,
      primary: (expose) => this.#primary.series.own(expose),
    });
    this.#primary = createProxy({
      ...options,
      parts: {
        series: "process",
        services: "none",
        concurrency: count,
        listen: pretendToListen,
        openStream: (bootstrap, stream) => this.#openStream(bootstrap, stream),
        wrapAdmin: (own) =>
          groupHandlers(own, {
            series: this.series,
            living: () => this.#group.living,
            serving: () => this.ready,
          }),
        onDrain: (request) => this.#drainWorkers(request),
        onReopenLogs: () => this.#group.tell({ type: "reopen" }),
      },
    });
    this.#group = new WorkerGroup({
      ...{ clock, log, count, startWorker },
      introduction: (slot) => this.#introduction(slot),
      onState: () => this.#checkReady(),
      onWants: (worker, names) => this.#wantSecrets(worker, names),
      onDeath: (number) => {
        this.series.ended(number);
        this.#secrets.get(number)?.close();
        this.#secrets.delete(number);
      },
    });
  }

  get ready(): boolean {
    return this.#primary.ready && this.#group.living.some(({ state }) => state.ready);
  }

  check() {
    return this.#primary.check();
  }

  async start(): Promise<void> {
    await this.#group.start();
    await this.#primary.start();
    void this.#primary.whenReady.then(() => this.#checkReady());
  }

  reportHealth(healthy: boolean, reason: string): void {
    this.#primary.reportHealth(healthy, reason);
  }

  listenerAddress(name: string): string | null {
    return this.listeners.find((listener) => listener.name === name)?.address ?? null;
  }

  /** As the first worker has them; connections of all. */
  get listeners(): readonly WorkerListener[] {
    const states = this.#group.living.map(({ state }) => state.listeners).filter((listeners) => listeners.length > 0);
    const [first = []] = states;
    return first.map((listener) => {
      const same = states.flatMap((listeners) => listeners.filter(({ name }) => name === listener.name));
      const connections = same.reduce((sum, one) => sum + one.connections, this.#unanswered);
      return { ...listener, connections, error: same.find(({ error }) => error !== null)?.error ?? null };
    });
  }

  get adminAddress(): AdminAddress | null {
    return this.#primary.adminAddress;
  }

  plugins(): Promise<readonly PluginReport[]> {
    return groupPlugins(() => this.#group.living);
  }

  get activeConnections(): number {
    return this.#group.living.reduce((sum, { state }) => sum + state.activeConnections, this.#unanswered);
  }

  reopenLogs(): void {
    this.#primary.reopenLogs();
  }

  drain(request: DrainRequest): void {
    this.#primary.drain(request);
  }

  async close(): Promise<void> {
    // The primary's admin interface last: it may have to answer whoever asked for the end.
    await this.#group.close();
    await this.#primary.close();
    for (const relay of this.#secrets.values()) relay.close();
  }

  /** Workers that have not said yet how many connections they have since they were asked to drain; each counts as one. */
  get #unanswered(): number {
    return this.#group.living.filter(({ state, drains }) => state.drains < drains).length;
  }

  #wantSecrets({ number, link }: LivingWorker, names: readonly string[]): void {
    let relay = this.#secrets.get(number);
    if (relay === undefined) {
      relay = new SecretRelay(this.#primary.secrets, (message) => link.send(message));
      this.#secrets.set(number, relay);
    }
    relay.want(names);
  }

  #drainWorkers(request: DrainRequest): void {
    this.#drained = request;
    this.#group.tell({ type: "drain", request });
  }

  #introduction(slot: number): ToWorker[] {
    const { version } = this.#options;
    const bootstrap = clone(BootstrapSchema, this.#options.bootstrap);
    const dynamic = bootstrap.dynamicResources?.adsConfig !== undefined;
    // The primary has the only admin interface.
    delete bootstrap.admin;
    const services = slot === FIRST_SLOT ? "all" : "perProcess";
    return [
      { type: "start", bootstrap: toBinary(BootstrapSchema, bootstrap), version, dynamic, services },
      ...this.#mirror.snapshot().map((update): ToWorker => ({ type: "update", update })),
      ...(this.#drained === null ? [] : [{ type: "drain", request: this.#drained } as const]),
    ];
  }

  async #openStream(bootstrap: ProxyOptions["bootstrap"], options: ConfigStreamOptions) {
    const stream = await openConfigStream(bootstrap, {
      ...options,
      onUpdate: (update) => {
        const refused = options.onUpdate(update);
        this.#group.tell({ type: "update", update: this.#mirror.take(update, refused) });
        return refused;
      },
    });
    if (stream === null) return null;
    return {
      subscribe: (...[kind, names]: Parameters<typeof stream.subscribe>) => {
        this.#mirror.keep(kind, names);
        stream.subscribe(kind, names);
      },
      // Workers get theirs from here, as they ask for them.
      subscribeSecrets: (names: ReadonlySet<string>) => stream.subscribeSecrets(names),
      reportHealth: (healthy: boolean, reason: string) => stream.reportHealth(healthy, reason),
      get connected() {
        return stream.connected;
      },
      close: () => stream.close(),
    };
  }

  #checkReady(): void {
    const { living } = this.#group;
    if (this.#primary.ready && living.length >= this.#count && living.every(({ state }) => state.ready))
      this.#becomeReady();
  }
}

/** The workers listen. */
const pretendToListen: ListenerSocketFactory = (address) => Promise.resolve({ address, close: () => {} });
