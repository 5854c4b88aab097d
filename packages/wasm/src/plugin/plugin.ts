import type { Timer } from "@mixerless/clock";
import type { HttpContext } from "../contexts/http-context.ts";
import type { TcpContext } from "../contexts/tcp-context.ts";
import type { LimitName, WasmLimits } from "../limits/limits.ts";
import { PluginLog } from "../limits/plugin-log.ts";
import { PluginUsage } from "../limits/usage.ts";
import type { LoadedModule } from "../module/load-module.ts";
import type { VmFailure } from "../vm/failure.ts";
import type { PluginServices } from "../vm/services.ts";
import type { HttpStreamHost, LoggedStream, TcpStreamHost } from "../vm/stream-host.ts";
import type { PluginConfig } from "./config.ts";
import type { HostMetrics } from "./host-metrics.ts";
import { PluginVersion } from "./version.ts";
import type { VmPool } from "./vm-pool.ts";

/** What a new stream gets in place of a context. */
export type NoContext =
  /** The stream goes on without the plugin. */
  | "bypass"
  /** It is answered with {@link FAILED_REPLY}, or closed. */
  | "fail";

export type PluginState =
  | "running"
  /** Its VM has failed; by the policy it stays so, or the next stream brings a new one. */
  | "failed"
  /** The last good version runs because a new one kept failing. */
  | "rolled_back"
  | "closed";

export interface PluginStatus {
  readonly name: string;
  readonly state: PluginState;
  /** Of the module that runs. */
  readonly digest: string;
  readonly abi: string;
  /** Wall-clock milliseconds of the last change of state. */
  readonly since: number;
  readonly lastFailure: VmFailure | null;
  /** Of the version that was taken back; null: none. */
  readonly refusedDigest: string | null;
  readonly calls: number;
  readonly failures: number;
  readonly microsecondsPerCall: number;
  readonly memory: number;
  readonly streams: number;
  readonly failedStreams: number;
  readonly bypassedStreams: number;
  readonly limitHits: Readonly<Partial<Record<LimitName, number>>>;
  readonly warnings: readonly string[];
}

export interface PluginParts {
  readonly services: PluginServices;
  readonly pool: VmPool;
  readonly metrics: HostMetrics;
  /** From 0 to 1, for the back-off. */
  readonly random: () => number;
}

/** A plugin over all its versions: it gives contexts to streams and decides what follows a failure. */
export class Plugin {
  readonly name: string;
  readonly usage = new PluginUsage();
  readonly #parts: PluginParts;
  readonly #log: PluginLog;
  #version: PluginVersion;
  /** What runs again if the version at hand keeps failing. */
  #lastGood: { readonly config: PluginConfig; readonly module: LoadedModule } | null = null;
  #probation: Timer | null = null;
  #state: PluginState = "failed";
  #since: number;
  #lastFailure: VmFailure | null = null;
  #refusedDigest: string | null = null;
  /** Monotonic time of the last start, and how long the next reload has to wait. */
  #lastStart = 0;
  #distance = 0;
  #published = { calls: 0, failed: 0, bypassed: 0, hits: new Map<LimitName, number>() };

  constructor(config: PluginConfig, module: LoadedModule, parts: PluginParts) {
    this.name = config.name;
    this.#parts = parts;
    this.#log = new PluginLog(parts.services, config.name);
    this.#since = parts.services.clock.now();
    parts.metrics.pluginCreated(config.name);
    this.#version = this.#make(config, module);
  }

  /** The first start. Null: it runs. Otherwise the policy decides about streams, as the configuration is kept. */
  start(): VmFailure | null {
    const failure = this.#begin(this.#version);
    this.#become(failure === null ? "running" : "failed");
    return failure;
  }

  /**
   * Another module or configuration. New streams get it once it is configured, those under way stay where they are.
   * Where it can't be started, nothing changes, and the answer says why.
   */
  update(config: PluginConfig, module: LoadedModule): VmFailure | null {
    const next = this.#make(config, module);
    const failure = this.#begin(next);
    if (failure !== null) return failure;
    const old = this.#version;
    this.#lastGood = old.running ? { config: old.config, module: old.module } : null;
    this.#version = next;
    this.#refusedDigest = null;
    this.#become("running");
    old.retire();
    this.#probation?.cancel();
    this.#probation = this.#parts.services.clock.after(config.probation, () => {
      this.#lastGood = null;
    });
    return null;
  }

  openHttp(stream: HttpStreamHost): HttpContext | NoContext {
    const context = this.#usable() ? this.#version.openHttp(stream) : null;
    return context ?? this.#without();
  }

  openTcp(stream: TcpStreamHost): TcpContext | NoContext {
    const context = this.#usable() ? this.#version.openTcp(stream) : null;
    return context ?? this.#without();
  }

  /** Gives a stream that is over to the plugin as an access logger. Without one that runs nothing is logged, which counts. */
  log(stream: LoggedStream): void {
    const root = this.#usable() ? this.#version.root : null;
    if (root === null) this.usage.bypassedStreams++;
    else root.onLog(stream);
  }

  /** A new VM where the policy allows one now, for plugins without streams that would bring it. */
  revive(): void {
    const waited = this.#parts.services.clock.monotonic() - this.#lastStart;
    if (!this.#version.running && waited >= this.#distance) this.#usable();
  }

  /** The version that new streams get. */
  get version(): PluginVersion {
    return this.#version;
  }

  setLimits(limits: Partial<WasmLimits>): void {
    this.#version.setLimits(limits);
  }

  status(): PluginStatus {
    const { usage } = this;
    return {
      ...{ name: this.name, state: this.#state, since: this.#since, lastFailure: this.#lastFailure },
      ...{ digest: this.#version.module.digest, abi: this.#version.module.abi, refusedDigest: this.#refusedDigest },
      ...{ calls: usage.calls, failures: usage.traps, microsecondsPerCall: usage.microsecondsPerCall },
      ...{ memory: this.#version.memory, streams: this.#version.streams },
      ...{ failedStreams: usage.failedStreams, bypassedStreams: usage.bypassedStreams },
      limitHits: Object.fromEntries(usage.limitHits),
      warnings: this.#version.module.warnings,
    };
  }

  /** Brings what was counted meanwhile into the store. */
  publish(): void {
    const { usage, name } = this;
    const { metrics } = this.#parts;
    const seen = this.#published;
    if (usage.calls > seen.calls) metrics.calls(name, usage.calls - seen.calls);
    if (usage.failedStreams > seen.failed) metrics.streams(name, "failed", usage.failedStreams - seen.failed);
    if (usage.bypassedStreams > seen.bypassed) metrics.streams(name, "bypassed", usage.bypassedStreams - seen.bypassed);
    for (const [limit, hits] of usage.limitHits) {
      const before = seen.hits.get(limit) ?? 0;
      if (hits > before) metrics.limitHits(name, limit, hits - before);
    }
    const { calls, failedStreams: failed, bypassedStreams: bypassed } = usage;
    this.#published = { calls, failed, bypassed, hits: new Map(usage.limitHits) };
  }

  close(): void {
    this.#probation?.cancel();
    this.#version.retire();
    this.#become("closed");
  }

  #make(config: PluginConfig, module: LoadedModule): PluginVersion {
    const version = new PluginVersion(config, module, this.#parts.pool, this.#log, this.usage);
    version.onFailure = (failure) => this.#onFailure(version, failure);
    return version;
  }

  #begin(version: PluginVersion): VmFailure | null {
    const failure = version.start();
    if (failure !== null) {
      this.#lastFailure = failure;
      this.#parts.metrics.failed(this.name, failure.kind);
    }
    this.#lastStart = this.#parts.services.clock.monotonic();
    const { reloadInterval } = version.config;
    this.#distance = reloadInterval + this.#parts.random() * reloadInterval;
    return failure;
  }

  /** A VM at run time has failed: its streams know; this decides about later ones. */
  #onFailure(version: PluginVersion, failure: VmFailure): void {
    this.usage.traps++;
    this.#lastFailure = failure;
    this.#parts.metrics.failed(this.name, failure.kind);
    if (version !== this.#version || this.#state === "closed") return;
    this.#become("failed");
    const { rollback, rollbackAfter, failurePolicy } = version.config;
    const hopeless = failurePolicy !== "reload" || version.failures >= rollbackAfter;
    if (rollback && hopeless && this.#lastGood !== null) this.#rollBack(version, this.#lastGood);
  }

  #rollBack(bad: PluginVersion, good: { readonly config: PluginConfig; readonly module: LoadedModule }): void {
    const version = this.#make(good.config, good.module);
    this.#lastGood = null;
    this.#probation?.cancel();
    const failure = this.#begin(version);
    if (failure !== null) return;
    this.#version = version;
    this.#refusedDigest = bad.module.digest;
    this.#become("rolled_back");
    this.#parts.metrics.rolledBack(this.name);
    const text = `wasm ${this.name}: version ${short(bad.module.digest)} failed ${bad.failures} times; version ${short(good.module.digest)} runs again`;
    this.#log.host(4, text);
  }

  /** True where the version runs, perhaps after a reload [proxy-wasm §13.3]. */
  #usable(): boolean {
    const version = this.#version;
    if (version.running) return true;
    if (this.#state === "closed" || version.config.failurePolicy !== "reload" || version.failures === 0) return false;
    if (this.#parts.services.clock.monotonic() - this.#lastStart < this.#distance) {
      this.#parts.metrics.reload(this.name, "backoff");
      return false;
    }
    const failure = this.#begin(version);
    this.#parts.metrics.reload(this.name, failure === null ? "success" : "failure");
    if (failure === null) this.#become("running");
    return failure === null;
  }

  #without(): NoContext {
    if (this.#version.config.failurePolicy === "open") {
      this.usage.bypassedStreams++;
      return "bypass";
    }
    this.usage.failedStreams++;
    return "fail";
  }

  #become(state: PluginState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#since = this.#parts.services.clock.now();
  }
}

function short(digest: string): string {
  return digest.slice(0, 12);
}
