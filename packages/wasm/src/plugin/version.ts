import { HttpContext } from "../contexts/http-context.ts";
import type { PluginFacts } from "../contexts/plugin-root.ts";
import { RootContext } from "../contexts/root-context.ts";
import { TcpContext } from "../contexts/tcp-context.ts";
import { resolveLimits, type WasmLimits } from "../limits/limits.ts";
import type { PluginLog } from "../limits/plugin-log.ts";
import type { PluginUsage } from "../limits/usage.ts";
import type { LoadedModule } from "../module/load-module.ts";
import type { VmFailure } from "../vm/failure.ts";
import type { HttpStreamHost, TcpStreamHost } from "../vm/stream-host.ts";
import type { PluginConfig } from "./config.ts";
import type { PooledVm, VmPool, VmRequest } from "./vm-pool.ts";

/** One VM that runs a version, and the plugin's root context in it. */
interface Instance {
  readonly pooled: PooledVm;
  readonly root: RootContext;
}

/** A module and a configuration at work. It ends when it is retired and its last stream is gone. */
export class PluginVersion {
  readonly config: PluginConfig;
  readonly module: LoadedModule;
  readonly #pool: VmPool;
  readonly #facts: PluginFacts;
  readonly #request: VmRequest;
  #limits: WasmLimits;
  #instance: Instance | null = null;
  readonly #streams = new Map<Instance, number>();
  #retired = false;
  failure: VmFailure | null = null;
  /** Failures at run time. */
  failures = 0;
  /** Told when its VM fails at run time. */
  onFailure: (failure: VmFailure) => void = () => {};

  constructor(config: PluginConfig, module: LoadedModule, pool: VmPool, log: PluginLog, usage: PluginUsage) {
    this.config = config;
    this.module = module;
    this.#pool = pool;
    this.#limits = resolveLimits(config.limits);
    this.#facts = {
      ...{ name: config.name, rootId: config.rootId, vmId: config.vmId, configuration: config.configuration },
      attributes: config.attributes,
      ...{ failOpen: config.failurePolicy === "open", allowHeadersStop: config.allowHeadersStop, usage, log },
    };
    this.#request = { config, module, limits: this.#limits, log, usage };
  }

  /** Gets a VM, starts and configures the plugin in it. Null: it runs. */
  start(): VmFailure | null {
    const pooled = this.#pool.acquire(this.#request, false);
    if (!("vm" in pooled)) return this.#refused(pooled);
    // A VM that others work in must not see a configuration fail: it is tried in one of its own first.
    const tried = pooled.shared ? this.#tryAlone() : null;
    if (tried !== null) {
      pooled.release();
      return this.#refused(tried);
    }
    const root = new RootContext(pooled.vm, this.#facts, pooled.tokens);
    const failure = root.start();
    if (failure !== null) {
      root.abandon();
      pooled.vm.contexts.delete(root.id);
      pooled.release();
      return this.#refused(failure);
    }
    const instance: Instance = { pooled, root };
    root.onDeleted = () => pooled.release();
    pooled.onFailure((why) => this.#onFailure(instance, why));
    this.#instance = instance;
    this.failure = null;
    return null;
  }

  /** The VM that new streams get; null: none works. */
  get running(): boolean {
    return this.#instance !== null;
  }

  get root(): RootContext | null {
    return this.#instance?.root ?? null;
  }

  /** Bytes of the VM's memory, of a shared one its part. */
  get memory(): number {
    return this.#instance?.pooled.memory ?? 0;
  }

  /** Streams that are under way. */
  get streams(): number {
    let all = 0;
    for (const count of this.#streams.values()) all += count;
    return all;
  }

  openHttp(stream: HttpStreamHost): HttpContext | null {
    const instance = this.#instance;
    if (instance === null) return null;
    const { pooled, root } = instance;
    return new HttpContext(pooled.vm, root, stream, this.#began(instance));
  }

  openTcp(stream: TcpStreamHost): TcpContext | null {
    const instance = this.#instance;
    if (instance === null) return null;
    const { pooled, root } = instance;
    return new TcpContext(pooled.vm, root, stream, this.#began(instance));
  }

  /** Other limits from the next callback on; what a module is built with stays. */
  setLimits(limits: Partial<WasmLimits>): void {
    this.#limits = resolveLimits(limits);
    const vm = this.#instance?.pooled.vm;
    if (vm === undefined) return;
    vm.limits = this.#limits;
    vm.refuel();
  }

  get limits(): WasmLimits {
    return this.#limits;
  }

  /** No new streams. It ends when those under way have. */
  retire(): void {
    this.#retired = true;
    const instance = this.#instance;
    if (instance !== null && (this.#streams.get(instance) ?? 0) === 0) this.#end(instance);
  }

  #began(instance: Instance): () => void {
    this.#streams.set(instance, (this.#streams.get(instance) ?? 0) + 1);
    return () => {
      const left = (this.#streams.get(instance) ?? 1) - 1;
      if (left > 0) this.#streams.set(instance, left);
      else this.#streams.delete(instance);
      if (left === 0 && this.#retired && this.#instance === instance) this.#end(instance);
    };
  }

  #end(instance: Instance): void {
    this.#instance = null;
    instance.root.beginDone();
  }

  #onFailure(instance: Instance, failure: VmFailure): void {
    instance.pooled.release();
    if (this.#instance !== instance) return;
    this.#instance = null;
    this.failure = failure;
    this.failures++;
    this.onFailure(failure);
  }

  #tryAlone(): VmFailure | null {
    const pooled = this.#pool.acquire(this.#request, true);
    if (!("vm" in pooled)) return pooled;
    const root = new RootContext(pooled.vm, this.#facts, pooled.tokens);
    const failure = root.start();
    root.abandon();
    pooled.release();
    return failure;
  }

  #refused(failure: VmFailure): VmFailure {
    this.failure = failure;
    return failure;
  }
}
