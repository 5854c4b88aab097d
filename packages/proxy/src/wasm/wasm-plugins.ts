import type { Clock, Timer } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import { type CodeSource, type Deployment, type PluginConfig, type PluginServices, WasmHost } from "@mixerless/wasm";
import type { Expressions } from "../expression/expressions.ts";
import { createPluginExpressions } from "../expression/plugin-expressions.ts";
import type { AttributeSource } from "../extension-host/attributes/attribute.ts";
import { resolveAttribute } from "../extension-host/attributes/resolve.ts";
import type { GrpcClient } from "../grpc/grpc-client.ts";
import { HeaderName } from "../http/header-name.ts";
import type { ClusterManager } from "../upstream/cluster.ts";
import { createClusterCalls } from "./cluster-calls.ts";
import { createGrpcCalls } from "./grpc-calls.ts";
import type { ModuleSource } from "./module-source.ts";
import { readCode } from "./plugin-code.ts";
import { type PluginLine, PluginLines } from "./plugin-lines.ts";
import { takePluginOptions } from "./plugin-options.ts";
import { type PluginReport, type PluginState, reportOf, stateOf } from "./plugin-status.ts";
import { RemoteLoads } from "./remote-loads.ts";

export interface WasmPluginsOptions {
  readonly clock: Clock;
  readonly metrics: MetricStore;
  readonly clusters: ClusterManager;
  /** Where remote modules come from; null: from nowhere. */
  readonly modules: ModuleSource | null;
  readonly grpc: GrpcClient;
  readonly expressions: Expressions;
  /** Levels: 0 trace, 1 debug, 2 info, 3 warn, 4 error, 5 critical. */
  readonly log: (level: number, message: string) => void;
  /** Called when the first version of a plugin has come to work, or has failed. */
  readonly onStarted?: () => void;
}

/** A plugin in use by one filter chain. */
export interface PluginUse {
  readonly deployment: Deployment;
  /** Whether its first version is still being fetched, compiled or configured. */
  readonly starting: boolean;
  release(): void;
}

interface Entry {
  readonly deployment: Deployment;
  users: number;
  /** What was deployed last. */
  content: string;
  source: string;
  version: string;
  /** The first version has neither come to work nor failed. */
  starting: boolean;
  fetching: boolean;
  state: PluginState;
  since: number;
  retry: Timer | null;
}

/** Milliseconds before a module that could not be had is tried again; doubled each time. */
const FIRST_RETRY = 10_000;
const LAST_RETRY = 300_000;

/**
 * The Wasm plugins of a proxy. A filter of a chain that comes back with another module or configuration takes its plugin
 * over: streams get the old version until the new one is configured.
 */
export class WasmPlugins {
  readonly #host: WasmHost;
  readonly #log: (level: number, message: string) => void;
  readonly #lines: PluginLines;
  readonly #clock: Clock;
  readonly #onStarted: () => void;
  readonly #modules: ModuleSource | null;
  readonly #loads: RemoteLoads;
  readonly #entries = new Map<string, Entry>();
  readonly #deploying = new Set<Promise<void>>();

  constructor(options: WasmPluginsOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onStarted = options.onStarted ?? (() => {});
    this.#lines = new PluginLines(options.clock, process.pid);
    const say = (plugin: string, level: number, text: string) => this.#say(plugin, level, text);
    this.#host = new WasmHost({ services: createServices(options, say), metrics: options.metrics });
    this.#modules = options.modules;
    this.#loads = new RemoteLoads(options.metrics);
  }

  /** `place` names the filter: listener, chain, filter. Fetching and compiling go on behind; nobody waits. */
  use(place: string, config: PluginConfig, code: CodeSource): PluginUse {
    const entry = this.#entries.get(place) ?? this.#create(place, config.name);
    entry.users++;
    const content = contentOf(config, code);
    if (entry.content !== content) {
      entry.content = content;
      entry.source = sourceOf(code);
      this.#begin(entry, config, code, FIRST_RETRY);
    }
    let used = true;
    return {
      deployment: entry.deployment,
      get starting() {
        return entry.starting;
      },
      release: () => {
        if (used && --entry.users === 0) {
          entry.retry?.cancel();
          entry.content = "";
          entry.deployment.close();
          this.#entries.delete(place);
        }
        used = false;
      },
    };
  }

  /** When everything that was to be deployed by now runs, or has failed. */
  async settled(): Promise<void> {
    await Promise.all([...this.#deploying]);
  }

  /** How each plugin is. */
  reports(): PluginReport[] {
    return [...this.#entries].map(([place, entry]) => {
      this.#note(entry);
      const { state, since, source, version } = entry;
      return reportOf(entry.deployment.status(), { place, state, since, source, version });
    });
  }

  /** The last lines of a plugin's log, oldest first; null: nothing was heard of it. */
  lines(plugin: string): readonly PluginLine[] | null {
    return this.#lines.of(plugin);
  }

  /** VMs that are alive. */
  get vms(): number {
    return this.#host.vms;
  }

  #create(place: string, name: string): Entry {
    const now = this.#clock.now();
    const entry: Entry = {
      ...{ deployment: this.#host.deployment(name), users: 0, content: "", source: "", version: "" },
      ...{ starting: true, fetching: false, state: "compiling", since: now, retry: null },
    };
    this.#entries.set(place, entry);
    return entry;
  }

  #begin(entry: Entry, config: PluginConfig, code: CodeSource, pause: number): void {
    entry.retry?.cancel();
    const { content } = entry;
    const deploying = this.#deploy(entry, config, code, pause).finally(() => {
      this.#note(entry);
      this.#deploying.delete(deploying);
      if (!entry.starting || entry.content !== content) return;
      entry.starting = false;
      this.#onStarted();
    });
    this.#deploying.add(deploying);
  }

  async #deploy(entry: Entry, config: PluginConfig, code: CodeSource, pause: number): Promise<void> {
    const { content, deployment } = entry;
    const { name } = config;
    const { environment, fetch, rollback } = takePluginOptions(config.environment);
    const seen = { ...config, environment, ...rollback };
    deployment.prepare(seen);
    entry.version = fetch.version;
    entry.fetching = true;
    this.#note(entry);
    const answer = await readCode(code, { plugin: name, ...fetch }, this.#modules, this.#loads);
    // A newer version, or the end, came meanwhile.
    if (entry.content !== content) return;
    entry.fetching = false;
    if ("fault" in answer) {
      deployment.refuse(answer.fault, seen);
      this.#say(name, 4, `wasm plugin ${name}: ${answer.fault}`);
      if (!answer.transient) return;
      const next = Math.min(pause * 2, LAST_RETRY);
      entry.retry = this.#clock.after(pause, () => this.#begin(entry, config, code, next));
      return;
    }
    const deployed = deployment.deploy(seen, answer.bytes);
    this.#note(entry);
    const outcome = await deployed;
    if (outcome.kind === "refused")
      this.#say(name, 4, `Unable to create Wasm plugin ${name}: ${outcome.fault.message}`);
    if (outcome.kind === "failed")
      this.#say(name, 4, `Unable to create Wasm plugin ${name}: ${outcome.failure.message}`);
  }

  #note(entry: Entry): void {
    const status = entry.deployment.status();
    const state = stateOf(status, entry.fetching);
    if (state === entry.state) return;
    entry.state = state;
    // What happened under traffic is only noticed here.
    const happened = status.plugin?.since ?? 0;
    entry.since = happened > entry.since ? happened : this.#clock.now();
  }

  #say(plugin: string, level: number, text: string): void {
    this.#lines.add(plugin, level, text);
    this.#log(level, text);
  }
}

function sourceOf(code: CodeSource): string {
  if (code.kind === "file") return code.path;
  return code.kind === "remote" ? code.uri.replace(/\/\/[^/@]*@/, "//") : code.kind;
}

function contentOf(config: PluginConfig, code: CodeSource): string {
  const { attributes: _, ...rest } = config;
  return JSON.stringify([rest, code, [...config.environment], [...(config.capabilities ?? [])]]);
}

/** Without look-ups of names: what needs them answers as if the name didn't exist. */
function createServices(
  { clock, clusters, expressions, grpc }: WasmPluginsOptions,
  say: (plugin: string, level: number, text: string) => void,
): PluginServices {
  return {
    clock,
    // The proxy's own log has its level.
    logLevel: () => 0,
    log: ({ level, text, plugin }) => say(plugin, level, text),
    attributes: {
      resolve(path) {
        if (path[0]?.startsWith("plugin_")) return null;
        const read = resolveAttribute(path);
        return (source) => (source === null ? undefined : (read(source as AttributeSource) ?? undefined));
      },
    },
    headerKey: (name) => HeaderName.transient(name),
    expressions: createPluginExpressions(expressions),
    http: createClusterCalls(clusters, clock),
    grpc: createGrpcCalls(grpc),
    dns: {
      resolve(_host, done) {
        const timer = clock.after(0, () => done([]));
        return timer;
      },
    },
    foreign: new Map(),
  };
}
