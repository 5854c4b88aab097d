import type { DeploymentStatus, VmFailure } from "@mixerless/wasm";

/** How a plugin is, in one word. */
export type PluginState = "fetching" | "compiling" | "running" | "failing" | "rolled_back" | "refused";

/** What went wrong with a plugin last. */
export interface PluginFault {
  readonly message: string;
  /** The callback that failed; empty where none was running. */
  readonly callback: string;
  /** Where in the module, innermost first; empty where it did not run. */
  readonly backtrace: readonly string[];
}

/** One plugin at one place of the proxy, for whoever shows it. */
export interface PluginReport {
  readonly name: string;
  /** Listener, filter chain and filter. */
  readonly place: string;
  /** Of the newest version; the one before may serve while it is not running. */
  readonly state: PluginState;
  /** SHA-256 of the module that serves; empty while none does. */
  readonly digest: string;
  /** SHA-256 of the module that was taken back; empty: none. */
  readonly refusedDigest: string;
  /** Milliseconds since the epoch of the last change of state. */
  readonly since: number;
  /** Of the newest version, or of the one that serves; null: nothing has gone wrong. */
  readonly lastError: PluginFault | null;
  /** Where its module comes from. */
  readonly source: string;
  /** Of the object that configures it, where the control plane tells. */
  readonly version: string;
  /** Callbacks, over all versions. */
  readonly calls: number;
  readonly traps: number;
  readonly microsecondsPerCall: number;
  /** Bytes of its VM's memory. */
  readonly memory: number;
  /** Streams that are under way, that failed with it, and that went on without it. */
  readonly streams: number;
  readonly failedStreams: number;
  readonly bypassedStreams: number;
}

/** The state of a deployment. `fetching`: its module is on its way. */
export function stateOf({ compiling, refused, plugin }: DeploymentStatus, fetching: boolean): PluginState {
  if (fetching) return "fetching";
  if (compiling) return "compiling";
  if (refused !== null) return "refused";
  if (plugin === null) return "compiling";
  if (plugin.state === "rolled_back") return "rolled_back";
  return plugin.state === "running" ? "running" : "failing";
}

/** What the proxy knows of a plugin beside its deployment. */
export type PluginFacts = Pick<PluginReport, "place" | "state" | "since" | "source" | "version">;

export function reportOf({ name, refused, plugin }: DeploymentStatus, facts: PluginFacts): PluginReport {
  return {
    ...{ name, ...facts, digest: plugin?.digest ?? "", refusedDigest: plugin?.refusedDigest ?? "" },
    lastError: refused === null ? faultOf(plugin?.lastFailure ?? null) : faultOf(refused),
    ...{ calls: plugin?.calls ?? 0, traps: plugin?.failures ?? 0 },
    microsecondsPerCall: plugin?.microsecondsPerCall ?? 0,
    ...{ memory: plugin?.memory ?? 0, streams: plugin?.streams ?? 0 },
    ...{ failedStreams: plugin?.failedStreams ?? 0, bypassedStreams: plugin?.bypassedStreams ?? 0 },
  };
}

function faultOf(failure: VmFailure | string | null): PluginFault | null {
  if (failure === null) return null;
  if (typeof failure === "string") return { message: failure, callback: "", backtrace: [] };
  const { message, callback, backtrace } = failure;
  return { message, callback, backtrace };
}
