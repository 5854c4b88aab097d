import type { DeploymentStatus } from "@mixerless/wasm";

/** How a plugin is, in one word. */
export type PluginPhase = "fetching" | "compiling" | "running" | "failing" | "rolled_back" | "refused";

/** One plugin at one place of the proxy, for whoever shows it. */
export interface PluginReport {
  readonly name: string;
  /** Listener, filter chain and filter. */
  readonly place: string;
  /** Of the newest version; the one before may serve while it is not running. */
  readonly phase: PluginPhase;
  /** SHA-256 of the module that serves; empty while none does. */
  readonly digest: string;
  /** Milliseconds since the epoch of the last change of phase. */
  readonly since: number;
  /** Of the newest version, or of the one that serves; empty: none. */
  readonly lastError: string;
  /** Where its module comes from. */
  readonly source: string;
}

/** The phase of a deployment. `fetching`: its module is on its way. */
export function phaseOf({ compiling, refused, plugin }: DeploymentStatus, fetching: boolean): PluginPhase {
  if (fetching) return "fetching";
  if (compiling) return "compiling";
  if (refused !== null) return "refused";
  if (plugin === null) return "compiling";
  if (plugin.state === "rolled_back") return "rolled_back";
  return plugin.state === "running" ? "running" : "failing";
}
