import { createHash } from "node:crypto";
import { createTokenCounters, type TokenCounters } from "../contexts/callouts.ts";
import { AT_START, createImports, type SharedState } from "../hostcalls/imports.ts";
import type { WasmLimits } from "../limits/limits.ts";
import type { PluginLog } from "../limits/plugin-log.ts";
import type { PluginUsage } from "../limits/usage.ts";
import type { LoadedModule } from "../module/load-module.ts";
import type { VmFailure } from "../vm/failure.ts";
import type { PluginServices } from "../vm/services.ts";
import type { TimedRun } from "../vm/timed-run.ts";
import { WasmVm } from "../vm/vm.ts";
import type { PluginConfig } from "./config.ts";
import type { HostMetrics } from "./host-metrics.ts";

/** A VM and those who use it. */
export interface PooledVm {
  readonly vm: WasmVm;
  readonly tokens: TokenCounters;
  /** True where another plugin uses it already. */
  readonly shared: boolean;
  /** Bytes of its memory, divided among those who use it. */
  readonly memory: number;
  /** Told when it fails. */
  onFailure(listener: (failure: VmFailure) => void): void;
  /** To be called once by every user. */
  release(): void;
}

interface Entry {
  readonly key: string;
  readonly vm: WasmVm;
  readonly tokens: TokenCounters;
  readonly listeners: ((failure: VmFailure) => void)[];
  users: number;
  open: boolean;
}

export interface VmRequest {
  readonly config: PluginConfig;
  readonly module: LoadedModule;
  readonly limits: WasmLimits;
  readonly log: PluginLog;
  readonly usage: PluginUsage;
}

/** The VMs of a process. Plugins of one vm_id with the same module and configuration share one [proxy-wasm §14]. */
export class VmPool {
  readonly #services: PluginServices;
  readonly #shared: SharedState;
  readonly #metrics: HostMetrics;
  readonly #timed: TimedRun;
  readonly #entries = new Map<string, Entry>();

  constructor(services: PluginServices, shared: SharedState, metrics: HostMetrics, timed: TimedRun) {
    this.#services = services;
    this.#shared = shared;
    this.#metrics = metrics;
    this.#timed = timed;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A started VM: the one that there is, or a new one. `fresh` never takes the one that there is. */
  acquire(request: VmRequest, fresh: boolean): PooledVm | VmFailure {
    const key = vmKey(request);
    const known = fresh ? undefined : this.#entries.get(key);
    if (known !== undefined && known.vm.failure === null) return this.#use(known, true);
    const entry = this.#create(key, request);
    const failure = entry.vm.start(createImports(entry.vm, this.#shared), AT_START);
    if (failure !== null) {
      this.#close(entry);
      return failure;
    }
    if (!fresh) this.#entries.set(key, entry);
    return this.#use(entry, false);
  }

  #create(key: string, { config, module, limits, log, usage }: VmRequest): Entry {
    const vm = new WasmVm({
      ...{ module, limits, log, usage, services: this.#services, timed: this.#timed },
      ...{ vmId: config.vmId, configuration: config.vmConfiguration },
      ...{ environment: config.environment, capabilities: config.capabilities },
    });
    const entry: Entry = { key, vm, tokens: createTokenCounters(), listeners: [], users: 0, open: true };
    this.#shared.data.open(config.vmId);
    this.#metrics.vmCreated();
    vm.onFailure = (failure) => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      for (const listener of entry.listeners) listener(failure);
    };
    return entry;
  }

  #use(entry: Entry, shared: boolean): PooledVm {
    entry.users++;
    let used = true;
    return {
      ...{ vm: entry.vm, tokens: entry.tokens, shared },
      get memory() {
        return Math.round(entry.vm.memory.size / Math.max(entry.users, 1));
      },
      onFailure: (listener) => entry.listeners.push(listener),
      release: () => {
        if (used && --entry.users === 0) this.#close(entry);
        used = false;
      },
    };
  }

  #close(entry: Entry): void {
    if (!entry.open) return;
    entry.open = false;
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    const { vmId } = entry.vm.options;
    if (this.#shared.data.close(vmId)) this.#shared.queues.drop(vmId);
    this.#metrics.vmClosed();
  }
}

/** VMs are shared by those who agree in all this. */
function vmKey({ config, module, limits }: VmRequest): string {
  const environment = [...config.environment].sort();
  const capabilities = [...(config.capabilities ?? [])].sort();
  const hash = createHash("sha256")
    .update(`${config.vmId}||`)
    .update(config.vmConfiguration)
    .update(`||${module.digest}`);
  return hash.update(JSON.stringify([environment, capabilities, limits])).digest("hex");
}
