import type { Timer } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import type { SharedState } from "../hostcalls/imports.ts";
import { resolveLimits, type WasmLimits } from "../limits/limits.ts";
import { type MetricTable, PluginMetrics, type TagExtractor } from "../measure/plugin-metrics.ts";
import type { LoadedModule, LoadFault } from "../module/load-module.ts";
import { SharedData } from "../shared/shared-data.ts";
import { SharedQueues } from "../shared/shared-queues.ts";
import type { PluginServices } from "../vm/services.ts";
import { TimedRun } from "../vm/timed-run.ts";
import type { PluginConfig } from "./config.ts";
import { Deployment } from "./deployment.ts";
import { HostMetrics } from "./host-metrics.ts";
import { ModuleCache } from "./module-cache.ts";
import { Plugin, type PluginStatus } from "./plugin.ts";
import { VmPool } from "./vm-pool.ts";

export interface WasmHostOptions {
  readonly services: PluginServices;
  /** Plugins' metrics and the host's own. */
  readonly metrics: MetricStore;
  /** The bootstrap's `stats_tags`. */
  readonly tagExtractors?: readonly TagExtractor[];
  /** Where plugins' metrics go instead of the store. */
  readonly pluginMetrics?: MetricTable;
  /** From 0 to 1, for back-offs. Default Math.random. */
  readonly random?: () => number;
}

/** How often what plugins did is brought into the store. */
const PUBLISH = 1000;

/** All Wasm plugins of a process, and what they share. */
export class WasmHost {
  readonly #services: PluginServices;
  readonly #metrics: HostMetrics;
  readonly #pool: VmPool;
  readonly #random: () => number;
  readonly #modules = new ModuleCache();
  readonly #plugins = new Set<Plugin>();
  /** Bytes by the names of plugins, as they were told last. */
  readonly #memory = new Map<string, number>();
  readonly #publisher: Timer;

  constructor(options: WasmHostOptions) {
    const { services, metrics, tagExtractors = [], random = Math.random } = options;
    const { pluginMetrics = new PluginMetrics(metrics, tagExtractors) } = options;
    this.#services = services;
    this.#random = random;
    this.#metrics = new HostMetrics(metrics);
    const shared: SharedState = {
      data: new SharedData(),
      queues: new SharedQueues((action) => services.clock.after(0, action)),
      metrics: pluginMetrics,
    };
    this.#pool = new VmPool(services, shared, this.#metrics, new TimedRun());
    this.#publisher = services.clock.every(PUBLISH, () => this.#publish());
  }

  /** Checks and compiles a module, off the request path; the same bytes once. */
  load(bytes: Uint8Array<ArrayBuffer>, limits: Partial<WasmLimits> = {}): Promise<LoadedModule | LoadFault> {
    return this.#modules.load(bytes, resolveLimits(limits));
  }

  /** A plugin whose versions are still to come. */
  deployment(name: string): Deployment {
    return new Deployment(name, this);
  }

  /** A plugin that has been started; `status()` says how that went. */
  create(config: PluginConfig, module: LoadedModule): Plugin {
    const parts = { services: this.#services, pool: this.#pool, metrics: this.#metrics, random: this.#random };
    const plugin = new Plugin(config, module, parts);
    plugin.start();
    this.#plugins.add(plugin);
    return plugin;
  }

  /** Its streams under way go on; new ones don't get it. */
  remove(plugin: Plugin): void {
    plugin.publish();
    plugin.close();
    this.#plugins.delete(plugin);
    this.#publishMemory();
  }

  statuses(): PluginStatus[] {
    return [...this.#plugins].map((plugin) => plugin.status());
  }

  /** VMs that are alive. */
  get vms(): number {
    return this.#pool.size;
  }

  close(): void {
    this.#publisher.cancel();
    for (const plugin of [...this.#plugins]) this.remove(plugin);
  }

  #publish(): void {
    for (const plugin of this.#plugins) plugin.publish();
    this.#publishMemory();
  }

  /** One name may run at several places; one that is gone has none any more. */
  #publishMemory(): void {
    for (const name of this.#memory.keys()) this.#memory.set(name, 0);
    for (const { name, version } of this.#plugins)
      this.#memory.set(name, (this.#memory.get(name) ?? 0) + version.memory);
    for (const [name, bytes] of this.#memory) {
      this.#metrics.memory(name, bytes);
      if (bytes === 0) this.#memory.delete(name);
    }
  }
}
