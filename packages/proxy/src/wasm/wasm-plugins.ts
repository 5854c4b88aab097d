import { readFile } from "node:fs/promises";
import type { Clock } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import { type CodeSource, type Deployment, type PluginConfig, type PluginServices, WasmHost } from "@mixerless/wasm";
import type { AttributeSource } from "../extension-host/attributes/attribute.ts";
import { resolveAttribute } from "../extension-host/attributes/resolve.ts";
import { HeaderName } from "../http/header-name.ts";
import type { ClusterManager } from "../upstream/cluster.ts";
import { createClusterCalls } from "./cluster-calls.ts";

export interface WasmPluginsOptions {
  readonly clock: Clock;
  readonly metrics: MetricStore;
  readonly clusters: ClusterManager;
  /** Levels: 0 trace, 1 debug, 2 info, 3 warn, 4 error, 5 critical. */
  readonly log: (level: number, message: string) => void;
}

/** A plugin in use by one filter chain. */
export interface PluginUse {
  readonly deployment: Deployment;
  release(): void;
}

interface Entry {
  readonly deployment: Deployment;
  users: number;
  /** What was deployed last. */
  content: string;
}

/**
 * The Wasm plugins of a proxy. A filter of a chain that comes back with another module or configuration takes its plugin
 * over: streams get the old version until the new one is configured.
 */
export class WasmPlugins {
  readonly #host: WasmHost;
  readonly #log: (level: number, message: string) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #deploying = new Set<Promise<void>>();

  constructor(options: WasmPluginsOptions) {
    this.#host = new WasmHost({ services: createServices(options), metrics: options.metrics });
    this.#log = options.log;
  }

  /** `place` names the filter: listener, chain, filter. Fetching and compiling go on behind; nobody waits. */
  use(place: string, config: PluginConfig, code: CodeSource): PluginUse {
    const entry = this.#entries.get(place) ?? this.#create(place, config.name);
    entry.users++;
    const content = contentOf(config, code);
    if (entry.content !== content) {
      entry.content = content;
      const deploying = this.#deploy(entry, config, code).finally(() => this.#deploying.delete(deploying));
      this.#deploying.add(deploying);
    }
    let used = true;
    return {
      deployment: entry.deployment,
      release: () => {
        if (used && --entry.users === 0) {
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

  #create(place: string, name: string): Entry {
    const entry: Entry = { deployment: this.#host.deployment(name), users: 0, content: "" };
    this.#entries.set(place, entry);
    return entry;
  }

  async #deploy(entry: Entry, config: PluginConfig, code: CodeSource): Promise<void> {
    const bytes = await bytesOf(code);
    if (typeof bytes === "string") {
      entry.deployment.refuse(bytes, config);
      this.#log(4, `wasm plugin ${config.name}: ${bytes}`);
      return;
    }
    const outcome = await entry.deployment.deploy(config, bytes);
    if (outcome.kind === "refused")
      this.#log(4, `Unable to create Wasm plugin ${config.name}: ${outcome.fault.message}`);
    if (outcome.kind === "failed")
      this.#log(4, `Unable to create Wasm plugin ${config.name}: ${outcome.failure.message}`);
  }
}

function contentOf(config: PluginConfig, code: CodeSource): string {
  const { attributes: _, ...rest } = config;
  return JSON.stringify([rest, code, [...config.environment], [...(config.capabilities ?? [])]]);
}

/** The module, or why there is none. */
async function bytesOf(code: CodeSource): Promise<Uint8Array<ArrayBuffer> | string> {
  switch (code.kind) {
    case "inline":
      return new Uint8Array(code.bytes);
    case "environment": {
      const value = process.env[code.name];
      return value === undefined
        ? `the variable ${code.name} is not set`
        : new Uint8Array(Buffer.from(value, "latin1"));
    }
    case "file":
      try {
        return new Uint8Array(await readFile(code.path));
      } catch (error) {
        return `${code.path} can't be read: ${error instanceof Error ? error.message : String(error)}`;
      }
    default:
      return `code from ${code.kind} is not supported`;
  }
}

/** Without CEL, gRPC and look-ups of names: what needs them answers as if the expression or cluster didn't exist. */
function createServices({ clock, clusters, log }: WasmPluginsOptions): PluginServices {
  return {
    clock,
    // The proxy's own log has its level.
    logLevel: () => 0,
    log: ({ level, text }) => log(level, text),
    attributes: {
      resolve(path) {
        if (path[0]?.startsWith("plugin_")) return null;
        const read = resolveAttribute(path);
        return (source) => (source === null ? undefined : (read(source as AttributeSource) ?? undefined));
      },
    },
    headerKey: (name) => HeaderName.transient(name),
    expressions: { compile: () => null },
    http: createClusterCalls(clusters, clock),
    grpc: { hasCluster: () => false, open: () => null },
    dns: {
      resolve(_host, done) {
        const timer = clock.after(0, () => done([]));
        return timer;
      },
    },
    foreign: new Map(),
  };
}
