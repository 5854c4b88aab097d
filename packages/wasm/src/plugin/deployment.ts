import type { HttpContext } from "../contexts/http-context.ts";
import type { TcpContext } from "../contexts/tcp-context.ts";
import { isFault, type LoadedModule, type LoadFault } from "../module/load-module.ts";
import type { VmFailure } from "../vm/failure.ts";
import type { HttpStreamHost, LoggedStream, TcpStreamHost } from "../vm/stream-host.ts";
import type { PluginConfig } from "./config.ts";
import type { NoContext, Plugin, PluginStatus } from "./plugin.ts";

/** What became of a version that was to be deployed. */
export type DeployOutcome =
  | { readonly kind: "running" }
  /** A newer one came while this one was compiled. */
  | { readonly kind: "overtaken" }
  /** The module can't be used. What ran before goes on. */
  | { readonly kind: "refused"; readonly fault: LoadFault }
  /** It could not be started or configured. What ran before goes on. */
  | { readonly kind: "failed"; readonly failure: VmFailure };

/** What a deployment needs of the host. */
export interface DeploymentHost {
  load(bytes: Uint8Array<ArrayBuffer>, limits: PluginConfig["limits"]): Promise<LoadedModule | LoadFault>;
  create(config: PluginConfig, module: LoadedModule): Plugin;
  remove(plugin: Plugin): void;
}

export interface DeploymentStatus {
  readonly name: string;
  /** A version is being compiled. */
  readonly compiling: boolean;
  /** Of the last version that did not make it; null after one that did. */
  readonly refused: string | null;
  /** Null until one has been started. */
  readonly plugin: PluginStatus | null;
}

/**
 * A plugin as its owner sees it: bytes and configurations come and go, traffic never waits for them. Until the first
 * version runs, streams follow the policy; afterwards they get the last version that could be configured.
 */
export class Deployment {
  readonly name: string;
  readonly #host: DeploymentHost;
  #plugin: Plugin | null = null;
  /** Counts what was deployed: only the newest may take over. */
  #newest = 0;
  #compiling = 0;
  #refused: string | null = null;
  #failOpen = false;
  #closed = false;

  constructor(name: string, host: DeploymentHost) {
    this.name = name;
    this.#host = host;
  }

  /** Compiles and starts a version off the request path. Never throws for what is wrong with it. */
  async deploy(config: PluginConfig, bytes: Uint8Array<ArrayBuffer>): Promise<DeployOutcome> {
    const number = ++this.#newest;
    this.prepare(config);
    this.#compiling++;
    const module = await this.#host.load(bytes, config.limits);
    this.#compiling--;
    if (number !== this.#newest || this.#closed) return { kind: "overtaken" };
    if (isFault(module)) {
      this.#refused = module.message;
      return { kind: "refused", fault: module };
    }
    const failure = this.#take(config, module);
    this.#refused = failure === null ? null : failure.message;
    return failure === null ? { kind: "running" } : { kind: "failed", failure };
  }

  /** Until a first version runs, streams go by the policy of what is on its way. */
  prepare(config: PluginConfig): void {
    if (this.#plugin === null) this.#failOpen = config.failurePolicy === "open";
  }

  /** A version whose module could not even be had, for the reason given. */
  refuse(reason: string, config: PluginConfig): void {
    this.#newest++;
    this.prepare(config);
    this.#refused = reason;
  }

  openHttp(stream: HttpStreamHost): HttpContext | NoContext {
    return this.#plugin === null ? this.#without() : this.#plugin.openHttp(stream);
  }

  openTcp(stream: TcpStreamHost): TcpContext | NoContext {
    return this.#plugin === null ? this.#without() : this.#plugin.openTcp(stream);
  }

  /** Gives a stream that is over to the plugin as an access logger, if it runs. */
  log(stream: LoggedStream): void {
    this.#plugin?.log(stream);
  }

  /** A new VM for a plugin without streams that has failed, where its policy allows one now. */
  revive(): void {
    this.#plugin?.revive();
  }

  status(): DeploymentStatus {
    return {
      ...{ name: this.name, compiling: this.#compiling > 0, refused: this.#refused },
      plugin: this.#plugin?.status() ?? null,
    };
  }

  close(): void {
    this.#closed = true;
    if (this.#plugin !== null) this.#host.remove(this.#plugin);
    this.#plugin = null;
  }

  #take(config: PluginConfig, module: LoadedModule): VmFailure | null {
    if (this.#plugin !== null) return this.#plugin.update(config, module);
    const plugin = this.#host.create(config, module);
    const { state, lastFailure } = plugin.status();
    if (state === "running") {
      this.#plugin = plugin;
      return null;
    }
    this.#host.remove(plugin);
    return lastFailure;
  }

  #without(): NoContext {
    return this.#failOpen ? "bypass" : "fail";
  }
}
