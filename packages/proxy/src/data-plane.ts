import type { AdminAddress } from "@mixerless/admin-server";
import type { SeriesSource } from "./admin/stats-view.ts";
import type { DrainRequest } from "./listener/drain-sequence.ts";
import type { ListenerState } from "./listener/listener-manager.ts";
import type { ConfigFault } from "./network/config-fault.ts";
import type { PluginReport } from "./wasm/plugin-status.ts";

/** A data plane, of one process or of several. */
export interface DataPlane {
  /** Everything that stands against starting with this bootstrap, by field. Binds nothing, asks nobody. */
  check(): readonly ConfigFault[];
  /** Resolves once the static listeners accept and the stream to the control plane is opened. Rejects with what the bootstrap asks for and cannot have. */
  start(): Promise<void>;
  /** Whether the first configuration is in use, every listener of it bound. */
  readonly ready: boolean;
  /** Resolves when {@link ready} became true for the first time. */
  readonly whenReady: Promise<void>;
  readonly series: SeriesSource;
  /** Where a listener accepts, as `ip:port`: with port 0 asked for, the one that it was given. Null when there is none. */
  listenerAddress(name: string): string | null;
  /** Every listener, those of the control plane included. */
  readonly listeners: readonly Pick<ListenerState, "name" | "address" | "error" | "connections">[];
  /** How each Wasm plugin is, at each place. Rejects where no process that has them answers. */
  plugins(): Promise<readonly PluginReport[]>;
  /** Where the admin interface answers; null without one, or before the start. */
  readonly adminAddress: AdminAddress | null;
  /** Lets the next lines of every access log go to newly opened files, after a rotation. */
  reopenLogs(): void;
  /** Takes listeners out of service; what is under way goes on. */
  drain(request: DrainRequest): void;
  /** Tells the control plane how the workload behind this proxy is; without one nobody hears it. Only once started. */
  reportHealth(healthy: boolean, reason: string): void;
  /** Open downstream connections at listeners that the control plane has configured. */
  readonly activeConnections: number;
  close(): Promise<void>;
}
