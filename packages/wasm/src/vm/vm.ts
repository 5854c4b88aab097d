import type { Context } from "../contexts/context.ts";
import type { LimitName, WasmLimits } from "../limits/limits.ts";
import type { PluginLog } from "../limits/plugin-log.ts";
import type { PluginUsage } from "../limits/usage.ts";
import type { LoadedModule } from "../module/load-module.ts";
import {
  type Callback,
  type Callbacks,
  findCallbacks,
  type GuestFunction,
  invoke,
  startFunctions,
} from "./callbacks.ts";
import { backtraceOf, describeFailure, type FailureKind, HostTrap, type VmFailure } from "./failure.ts";
import { GuestMemory } from "./guest-memory.ts";
import { NameCache } from "./name-cache.ts";
import type { AttributeReader, PluginServices } from "./services.ts";
import type { HeaderKey } from "./stream-host.ts";
import { isTimeout, type TimedRun } from "./timed-run.ts";
import { engine, type WasmImports } from "./web-assembly.ts";

export interface VmOptions {
  readonly module: LoadedModule;
  readonly vmId: string;
  readonly configuration: Buffer;
  readonly environment: ReadonlyMap<string, string>;
  /** Names of host calls, callbacks and WASI functions that are allowed; null: all. */
  readonly capabilities: ReadonlySet<string> | null;
  readonly limits: WasmLimits;
  readonly services: PluginServices;
  /** Of the plugin that the VM is made for; it speaks while no context does. */
  readonly log: PluginLog;
  readonly usage: PluginUsage;
  readonly timed: TimedRun;
}

/** What a call answers where the VM has failed, before or in it: no number that Wasm has. */
export const FAILED = -(2 ** 40);

/** As many as a backtrace shows. Elsewhere in the process the limit stays what it is. */
const FRAMES = 20;

/** Host calls that the module's allocator may make [proxy-wasm §2.6]. */
const IN_ALLOCATOR = new Set(["proxy_log", "fd_write", "clock_time_get", "poll_oneoff"]);

/** A path and what reads it. */
export interface PropertyPath {
  readonly path: readonly string[];
  readonly reader: AttributeReader | null;
}

/**
 * One instance of a module: its memory, its contexts, and the one place where calls go in. A trap or an exhausted
 * limit makes it fail for ever; a failed VM is never entered again.
 */
export class WasmVm {
  readonly options: VmOptions;
  readonly contexts = new Map<number, Context>();
  readonly headerNames: NameCache<HeaderKey>;
  readonly paths: NameCache<PropertyPath>;
  limits: WasmLimits;
  memory!: GuestMemory;
  callbacks!: Callbacks;
  /** What host calls act on; null outside contexts. */
  active: Context | null = null;
  /** Host calls that the callback may still make. */
  work = 0;
  failure: VmFailure | null = null;
  /** Told once, when the VM fails. */
  onFailure: (failure: VmFailure) => void = () => {};
  /** Logs what was written without a line feed. */
  flushOutput: () => void = () => {};
  #exports: Record<string, unknown> = {};
  #swapFuel!: (fuel: number) => number;
  #allocator!: (size: number) => number;
  /** Fuel in the module while nothing runs. */
  #filled = 0;
  /** The limit that it comes from. */
  #budget: LimitName = "callbackFuel";
  #depth = 0;
  #outerFrames = FRAMES;
  #current: Context | null = null;
  /** The only host calls that are allowed now; null: all. */
  #restriction: ReadonlySet<string> | null = null;
  #poison: HostTrap | null = null;
  #deferred: (() => void)[] = [];
  #nextId = 1;

  constructor(options: VmOptions) {
    this.options = options;
    this.limits = options.limits;
    this.headerNames = new NameCache((name) => options.services.headerKey(name.toLowerCase()));
    this.paths = new NameCache((text) => this.#resolvePath(text));
  }

  /** Makes the instance and runs its start functions; null when that went well. */
  start(imports: WasmImports, allowed: ReadonlySet<string>): VmFailure | null {
    const { module } = this.options;
    try {
      this.#exports = new engine.Instance(module.compiled, imports).exports;
    } catch (error) {
      return this.fail("create", "", error);
    }
    const memory = Object.values(this.#exports).find((value) => value instanceof engine.Memory);
    if (!(memory instanceof engine.Memory)) return this.fail("create", "", new Error("the module exports no memory"));
    this.memory = new GuestMemory(memory);
    this.callbacks = findCallbacks(module, this.options.capabilities, (name) => this.#function(name));
    this.#swapFuel = this.#function(module.fuelExport) as (fuel: number) => number;
    this.#allocator = this.#function(module.functions.has("malloc") ? "malloc" : "proxy_on_memory_allocate") as never;
    for (const [name, args] of startFunctions(module)) {
      this.#runTimed(name, null, allowed, () => this.#function(name)(...args));
      if (this.failure !== null) return this.failure;
    }
    this.refuel();
    return null;
  }

  /** Fills in the fuel of the next callback; also after a change of the limits. */
  refuel(): void {
    this.#filled = this.limits.callbackFuel;
    this.#budget = "callbackFuel";
    if (this.failure === null) this.#swapFuel(this.#filled);
  }

  /** The number for a new context. */
  newId(): number {
    while (this.contexts.has(this.#nextId)) this.#advanceId();
    const id = this.#nextId;
    this.#advanceId();
    return id;
  }

  /**
   * Calls an exported callback for a context; its result, 0 for those without. {@link FAILED} where the VM has failed,
   * before or now. What host calls have put off is done before it returns.
   */
  run(callback: Callback, context: Context, a = 0, b = 0, c = 0, d = 0): number {
    if (this.failure !== null) return FAILED;
    const { plugin } = context.root;
    const timed = plugin.usage.begin();
    const began = timed ? this.options.services.clock.monotonic() : 0;
    const outer = this.#current;
    const outerActive = this.active;
    this.#enter(context);
    let result = 0;
    try {
      result = invoke(callback, context.id, a, b, c, d);
      if (this.#poison !== null) throw this.#poison;
    } catch (error) {
      this.#trap(callback.name, error);
      result = FAILED;
    }
    this.flushOutput();
    this.#current = outer;
    this.active = outerActive;
    if (--this.#depth > 0) return result;
    Error.stackTraceLimit = this.#outerFrames;
    this.#settle(context);
    if (timed) plugin.usage.sample(this.options.services.clock.monotonic() - began);
    if (this.#deferred.length > 0) this.#runDeferred();
    return result;
  }

  /** As {@link run}, with the fuel and the time of start and configure. */
  runTimed(callback: Callback, context: Context, a: number): number {
    let result = FAILED;
    this.#runTimed(callback.name, context, null, () => {
      result = invoke(callback, context.id, a, 0, 0, 0);
    });
    if (this.failure !== null) return FAILED;
    this.refuel();
    if (this.#deferred.length > 0) this.#runDeferred();
    return result;
  }

  /** True while the module executes. */
  get running(): boolean {
    return this.#depth > 0;
  }

  /** Runs `action` when the module no longer executes: at once, if it doesn't. */
  defer(action: () => void): void {
    if (this.#depth > 0) this.#deferred.push(action);
    else action();
  }

  /** Memory from the module's allocator; 0: it has none left. */
  allocate(size: number): number {
    const { work } = this;
    const restriction = this.#restriction;
    this.#restriction = IN_ALLOCATOR;
    this.work = 0;
    const pointer = this.#allocator(size) >>> 0;
    this.#restriction = restriction;
    this.work = work - (size >>> 10);
    return pointer;
  }

  /** Called where {@link work} has become negative. Throws, unless the call is one of those that are allowed now. */
  overdrawn(name: string): void {
    if (this.#restriction?.has(name) === true) {
      this.work = 0;
      return;
    }
    if (this.#restriction !== null) {
      this.throwTrap(
        "restricted",
        `restricted_callback: ${name} can't be called from a start function or the allocator`,
      );
    }
    this.hit("callbackWork");
    this.throwTrap("work", `more than ${this.limits.callbackWork} host calls in one callback`);
  }

  /** Ends what the module does, even where it would catch the exception. */
  throwTrap(kind: FailureKind, message: string): never {
    this.#poison = new HostTrap(kind, message);
    this.#swapFuel(-1);
    throw this.#poison;
  }

  /** A limit made a host call fail. */
  hit(limit: LimitName): void {
    (this.active?.root.plugin.usage ?? this.options.usage).hit(limit);
  }

  log(level: number, message: string): void {
    const { active, options } = this;
    const log = active?.root.plugin.log ?? options.log;
    const written = log.write(level, active?.logPrefix ?? options.vmId, message, this.limits);
    if (!written) this.hit("logRate");
  }

  /** False: no such context. 0 goes back to the callback's own. */
  setEffectiveContext(id: number): boolean {
    const context = id === 0 ? this.#current : (this.contexts.get(id) ?? null);
    if (context === null) return false;
    this.active = context;
    return true;
  }

  fail(kind: FailureKind, callback: string, error: unknown): VmFailure {
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? (error.stack ?? "") : "";
    const { positions, sources } = this.options.module;
    const backtrace = backtraceOf(stack, positions, sources);
    const failure: VmFailure = { kind, callback, message, backtrace };
    if (this.failure !== null) return this.failure;
    this.failure = failure;
    (this.active?.root.plugin.log ?? this.options.log).host(4, describeFailure(failure));
    this.defer(() => this.#announce(failure));
    return failure;
  }

  #announce(failure: VmFailure): void {
    this.onFailure(failure);
    for (const context of [...this.contexts.values()]) context.abandon();
    this.contexts.clear();
  }

  #enter(context: Context): void {
    if (this.#depth++ === 0) {
      this.#outerFrames = Error.stackTraceLimit;
      Error.stackTraceLimit = FRAMES;
      this.work = this.limits.callbackWork;
      if (context.fuelLeft < this.#filled) {
        this.#filled = Math.max(context.fuelLeft, 0);
        this.#budget = "streamFuel";
        this.#swapFuel(this.#filled);
      }
    }
    this.#current = context;
    this.active = context;
  }

  /** The books of the outermost call. */
  #settle(context: Context): void {
    if (this.failure !== null) return;
    const full = this.limits.callbackFuel;
    const left = this.#swapFuel(full);
    context.fuelLeft -= this.#filled - left;
    this.#filled = full;
    this.#budget = "callbackFuel";
  }

  #trap(callback: string, error: unknown): void {
    if (this.failure !== null) return;
    this.flushOutput();
    const poison = this.#poison;
    if (poison !== null) this.fail(poison.kind, callback, poison);
    else if (isTimeout(error)) {
      this.hit("startTimeout");
      this.fail("timeout", callback, new Error(`took more than ${this.limits.startTimeout} ms`));
    } else if (this.#swapFuel(0) < 0) {
      const limit = this.#budget;
      this.hit(limit);
      this.fail("fuel", callback, withStack(`used up its ${this.#filled} units of fuel (limit ${limit})`, error));
    } else this.fail("trap", callback, error);
  }

  #runTimed(name: string, context: Context | null, allowed: ReadonlySet<string> | null, job: () => void): void {
    if (this.failure !== null) return;
    this.#filled = this.limits.startFuel;
    this.#budget = "startFuel";
    this.#swapFuel(this.#filled);
    const outer = this.#current;
    this.#current = context;
    this.active = context;
    this.#restriction = allowed;
    this.work = allowed === null ? this.limits.callbackWork : 0;
    this.#depth++;
    try {
      this.options.timed.run(this.limits.startTimeout, job);
      if (this.#poison !== null) throw this.#poison;
    } catch (error) {
      this.#trap(name, error);
    }
    this.flushOutput();
    this.#depth--;
    this.#restriction = null;
    this.#current = outer;
    this.active = outer;
    if (this.failure !== null && this.#depth === 0) this.#runDeferred();
  }

  #runDeferred(): void {
    while (this.#deferred.length > 0) {
      const actions = this.#deferred;
      this.#deferred = [];
      for (const action of actions) action();
    }
  }

  #function(name: string): GuestFunction {
    return this.#exports[name] as GuestFunction;
  }

  #advanceId(): void {
    this.#nextId = this.#nextId >= 0x7fff_ffff ? 1 : this.#nextId + 1;
  }

  #resolvePath(text: string): PropertyPath {
    const path = text.replace(/\0$/, "").split("\0");
    return { path, reader: this.options.services.attributes.resolve(path) };
  }
}

/** The message is ours, the stack that of the trap. */
function withStack(message: string, trap: unknown): Error {
  const error = new Error(message);
  if (trap instanceof Error && trap.stack !== undefined) error.stack = trap.stack;
  return error;
}
