import { MetricStore } from "@mixerless/metrics";
import type { Context } from "../src/contexts/context.ts";
import { HttpContext } from "../src/contexts/http-context.ts";
import { RootContext } from "../src/contexts/root-context.ts";
import { createImports } from "../src/hostcalls/imports.ts";
import { resolveLimits } from "../src/limits/limits.ts";
import { PluginLog } from "../src/limits/plugin-log.ts";
import { PluginUsage } from "../src/limits/usage.ts";
import { PluginMetrics } from "../src/measure/plugin-metrics.ts";
import { isFault, loadModule } from "../src/module/load-module.ts";
import { type PluginConfig, pluginConfig } from "../src/plugin/config.ts";
import { HostMetrics } from "../src/plugin/host-metrics.ts";
import { VmPool } from "../src/plugin/vm-pool.ts";
import { SharedData } from "../src/shared/shared-data.ts";
import { SharedQueues } from "../src/shared/shared-queues.ts";
import { assemble, FakeHttpStream, FakeServices, moduleText } from "../src/testing/index.ts";
import { TimedRun } from "../src/vm/timed-run.ts";
import type { WasmVm } from "../src/vm/vm.ts";

type Call = (...args: (number | bigint)[]) => number;

/** Everything that VMs of one process share, so that several guests can meet. */
export class World {
  readonly services = new FakeServices();
  readonly metrics = new MetricStore({ clock: this.services.clock });
  readonly shared = {
    data: new SharedData(),
    queues: new SharedQueues((action) => this.services.clock.after(0, action)),
    metrics: new PluginMetrics(this.metrics),
  };
  readonly pool = new VmPool(this.services, this.shared, new HostMetrics(this.metrics), new TimedRun());

  /** A module of callbacks that do nothing, in which a test can play the plugin. */
  async guest(
    own: Partial<PluginConfig> = {},
    body = "",
    frame: Parameters<typeof moduleText>[1] = {},
  ): Promise<Guest> {
    const config = pluginConfig("test", own);
    const limits = resolveLimits(config.limits);
    const module = await loadModule(assemble(moduleText(body, frame)), limits);
    if (isFault(module)) throw new Error(module.message);
    const log = new PluginLog(this.services, config.name);
    const usage = new PluginUsage();
    const pooled = this.pool.acquire({ config, module, limits, log, usage }, false);
    if (!("vm" in pooled)) throw new Error(pooled.message);
    const facts = { ...config, failOpen: config.failurePolicy === "open", usage, log };
    const root = new RootContext(pooled.vm, facts, pooled.tokens);
    const failure = root.start();
    if (failure !== null) throw new Error(failure.message);
    return new Guest(this, pooled.vm, root, usage, () => pooled.release());
  }
}

/** Plays the plugin: host functions are called from here, on the memory of a real VM. */
export class Guest {
  readonly world: World;
  readonly vm: WasmVm;
  readonly root: RootContext;
  readonly usage: PluginUsage;
  readonly release: () => void;
  readonly #env: Record<string, Call>;
  readonly #wasi: Record<string, Call>;
  #free = 512;

  constructor(world: World, vm: WasmVm, root: RootContext, usage: PluginUsage, release: () => void) {
    this.world = world;
    this.vm = vm;
    this.root = root;
    this.usage = usage;
    this.release = release;
    const imports = createImports(vm, world.shared);
    this.#env = imports.env as never;
    this.#wasi = imports.wasi_snapshot_preview1 as never;
  }

  /** An HTTP stream of the plugin, its request headers seen. */
  http(stream = new FakeHttpStream()): { context: HttpContext; stream: FakeHttpStream } {
    const context = new HttpContext(this.vm, this.root, stream, () => {});
    context.onRequestHeaders(true);
    return { context, stream };
  }

  /** Runs `script` as if the module did, in a callback of `context`; its result is the callback's. */
  inside<T>(context: Context, script: () => T): T {
    let answer: T | undefined;
    const fn = () => {
      answer = script();
      return 0;
    };
    this.vm.run({ name: "proxy_on_log", fn, parameters: 1 }, context);
    return answer as T;
  }

  /** Calls a host function. Strings are put into memory and stand for pointer and length. */
  call(name: string, ...args: (number | bigint | string)[]): number {
    const flat = args.flatMap((arg): (number | bigint)[] => (typeof arg === "string" ? this.place(arg) : [arg]));
    const fn = this.#env[name] ?? this.#wasi[name];
    if (fn === undefined) throw new Error(`no host function ${name}`);
    return fn(...flat);
  }

  place(text: string): [pointer: number, length: number] {
    if (this.#free + text.length > 4096) this.#free = 512;
    const at = this.#free;
    this.vm.memory.writeString(at, text);
    this.#free += text.length;
    return [at, text.length];
  }

  u32(at: number): number {
    return this.vm.memory.readU32(at);
  }

  u64(at: number): bigint {
    return BigInt(this.u32(at)) + (BigInt(this.u32(at + 4)) << 32n);
  }

  /** What a host function gave in the cells 16 and 20. */
  given(): string {
    return this.vm.memory.string(this.u32(16), this.u32(20)) ?? "out of bounds";
  }

  /** Calls a function that gives a value into the cells 16 and 20: the value, or the status. */
  ask(name: string, ...args: (number | bigint | string)[]): string | number {
    const status = this.call(name, ...args, 16, 20);
    return status === 0 ? this.given() : status;
  }

  /** `proxy_get_shared_data`: value and number, or the status. */
  askShared(key: string): [value: string, cas: number] | number {
    const status = this.call("proxy_get_shared_data", key, 16, 20, 8);
    return status === 0 ? [this.given(), this.u32(8)] : status;
  }
}
