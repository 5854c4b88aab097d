import type { Timer } from "@mixerless/clock";
import type { Pair } from "../encoding/pairs.ts";
import { BufferType, HeaderMapType } from "../hostcalls/status.ts";
import type { Callback } from "../vm/callbacks.ts";
import type { VmFailure } from "../vm/failure.ts";
import type { CompiledExpression } from "../vm/services.ts";
import type { HeaderFields, LoggedStream } from "../vm/stream-host.ts";
import { FAILED, type WasmVm } from "../vm/vm.ts";
import { type AnswerTarget, RootCallouts, type TokenCounters } from "./callouts.ts";
import { Context } from "./context.ts";
import { type GuestBuffer, ReadOnlyBuffer } from "./guest-buffer.ts";
import type { CallData, DeclaredProperty, PluginFacts, PluginRoot } from "./plugin-root.ts";

/** A tick that takes long is followed by a pause of so many times that, so that ticks alone never fill a core. */
const TICK_REST = 4;

const NOTHING: CallData = {};

/** One plugin inside a VM: it has the configuration, the ticks, the calls and their answers. */
export class RootContext extends Context implements PluginRoot, AnswerTarget {
  readonly vm: WasmVm;
  readonly plugin: PluginFacts;
  readonly logPrefix: string;
  readonly callouts: RootCallouts;
  readonly declared = new Map<string, DeclaredProperty>();
  readonly expressions = new Map<number, CompiledExpression>();
  nextExpression = 1;
  status = { code: 0, message: "" };
  configuring = false;
  #data: CallData = NOTHING;
  /** While the plugin logs it as an access logger; it is nobody's of its streams. */
  #logged: LoggedStream | null = null;
  /** The plugin's configuration can be read: while it is made and configured. */
  #configurationOpen = false;
  #period = 0;
  #timer: Timer | null = null;
  /** `on_done` answered "not yet". */
  #pending = false;
  #deleted = false;
  /** Told when the context is gone. */
  onDeleted: () => void = () => {};

  constructor(vm: WasmVm, plugin: PluginFacts, tokens: TokenCounters) {
    super(vm.newId());
    this.vm = vm;
    this.plugin = plugin;
    this.logPrefix = [plugin.rootId, plugin.vmId].filter((part) => part.length > 0).join(" ");
    this.callouts = new RootCallouts(this, tokens);
    vm.contexts.set(this.id, this);
  }

  get root(): this {
    return this;
  }

  /** Creates the context in the VM, starts and configures it [proxy-wasm §6.2]; null: all went well. */
  start(): VmFailure | null {
    const { callbacks, options } = this.vm;
    this.#configurationOpen = true;
    if (callbacks.proxy_on_context_create !== null) this.vm.runTimed(callbacks.proxy_on_context_create, this, 0);
    this.#configurationOpen = false;
    const started = this.#accepts(callbacks.proxy_on_vm_start, options.configuration.length);
    if (started !== null) return started;
    this.#configurationOpen = true;
    this.configuring = true;
    const configured = this.#accepts(callbacks.proxy_on_configure, this.plugin.configuration.length);
    this.#configurationOpen = false;
    this.configuring = false;
    return configured;
  }

  #accepts(callback: Callback | null, size: number): VmFailure | null {
    if (this.vm.failure !== null) return this.vm.failure;
    if (callback === null) return null;
    const result = this.vm.runTimed(callback, this, size);
    if (result === FAILED) return this.vm.failure;
    if (result !== 0) return null;
    const message = `the plugin said no in ${callback.name}; its own messages may say why`;
    return { kind: "refused", callback: callback.name, message, backtrace: [] };
  }

  override readOnlyPairs(map: number): readonly Pair[] | null {
    switch (map) {
      case HeaderMapType.GrpcInitialMetadata:
        return this.#data.initialMetadata ?? null;
      case HeaderMapType.GrpcTrailingMetadata:
        return this.#data.trailingMetadata ?? null;
      case HeaderMapType.HttpCallHeaders:
        return this.#data.headers ?? null;
      case HeaderMapType.HttpCallTrailers:
        return this.#data.trailers ?? null;
      default:
        return null;
    }
  }

  override buffer(type: number): GuestBuffer | null {
    switch (type) {
      case BufferType.HttpCallBody:
        return readOnly(this.#data.body);
      case BufferType.GrpcMessage:
        return readOnly(this.#data.message);
      case BufferType.CallData:
        return readOnly(this.#data.data);
      case BufferType.VmConfiguration:
        return readOnly(this.vm.options.configuration);
      case BufferType.PluginConfiguration:
        return this.#configurationOpen ? readOnly(this.plugin.configuration) : null;
      default:
        return null;
    }
  }

  answer(callback: Callback | null, data: CallData, a: number, b = 0, c = 0, d = 0): void {
    if (callback === null || this.#deleted) return;
    this.#data = data;
    this.vm.run(callback, this, a, b, c, d);
    this.#data = NOTHING;
    // The code can still be asked for later, the text only now.
    this.status = { code: this.status.code, message: "" };
  }

  setStatus(code: number, message: string): void {
    this.status = { code, message };
  }

  override get stream(): LoggedStream | null {
    return this.#logged;
  }

  override get logging(): boolean {
    return this.#logged !== null;
  }

  override readable(map: number): HeaderFields | null {
    return this.#logged?.headers(map) ?? null;
  }

  /** A stream is over, and its access log is the plugin [proxy-wasm §15.1]. */
  onLog(stream: LoggedStream): void {
    const { proxy_on_log: log } = this.vm.callbacks;
    if (log === null || this.#deleted) return;
    this.#logged = stream;
    this.vm.run(log, this);
    this.#logged = null;
  }

  onQueueReady(token: number): void {
    this.answer(this.vm.callbacks.proxy_on_queue_ready, NOTHING, token);
  }

  /** Lets a function of the proxy speak to the plugin; not before 0.2.0. */
  onForeignFunction(id: number, argument: Buffer): void {
    this.answer(this.vm.callbacks.proxy_on_foreign_function, { data: argument }, id, argument.length);
  }

  /** The deltas of the proxy's statistics, in the form of a stats sink [proxy-wasm §8.12]. */
  onStatsUpdate(blocks: Buffer): void {
    this.answer(this.vm.callbacks.envoy_on_stats_update, { data: blocks }, blocks.length);
  }

  setTickPeriod(milliseconds: number): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#period = milliseconds;
    if (milliseconds > 0 && this.vm.callbacks.proxy_on_tick !== null && !this.#deleted) this.#arm(milliseconds);
  }

  #arm(delay: number): void {
    this.#timer = this.vm.options.services.clock.after(delay, () => this.#tick());
  }

  #tick(): void {
    const callback = this.vm.callbacks.proxy_on_tick;
    if (callback === null || this.vm.failure !== null) return;
    const { clock } = this.vm.options.services;
    const armed = this.#timer;
    const began = clock.monotonic();
    this.vm.run(callback, this);
    const rest = (clock.monotonic() - began) * TICK_REST;
    if (this.#timer === armed && this.#period > 0 && this.vm.failure === null) this.#arm(Math.max(this.#period, rest));
  }

  /** The plugin's last user is gone [proxy-wasm §6.9]. */
  beginDone(): void {
    if (this.#deleted || this.#pending) return;
    const { proxy_on_done: done } = this.vm.callbacks;
    if (this.vm.failure === null && done !== null && this.vm.run(done, this) === 0) {
      this.#pending = !this.#deleted;
      return;
    }
    this.#delete();
  }

  finishDone(): boolean {
    if (!this.#pending) return false;
    this.#pending = false;
    this.vm.defer(() => this.#delete());
    return true;
  }

  /** Waits for `proxy_done`. */
  get pending(): boolean {
    return this.#pending;
  }

  #delete(): void {
    if (this.#deleted) return;
    const { proxy_on_delete: remove } = this.vm.callbacks;
    if (remove !== null) this.vm.run(remove, this);
    this.vm.contexts.delete(this.id);
    this.#stop();
    this.onDeleted();
  }

  override abandon(): void {
    this.#stop();
  }

  #stop(): void {
    this.#deleted = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.callouts.close();
  }
}

function readOnly(bytes: Buffer | undefined): GuestBuffer | null {
  return bytes === undefined ? null : new ReadOnlyBuffer(bytes);
}
