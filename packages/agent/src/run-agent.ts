import { randomUUID } from "node:crypto";
import type { Clock } from "@mixerless/clock";
import { createMetadataExchange, createStats } from "@mixerless/extensions";
import { createProxy, decodeBootstrap, type ExtensionTable } from "@mixerless/proxy";
import { formatFault } from "@mixerless/wire";
import { createBootstrap, type SidecarAddresses } from "./bootstrap.ts";
import type { WorkloadIdentity } from "./node-identity.ts";
import { startStatusServer } from "./status-server.ts";

export interface AgentOptions {
  readonly identity: WorkloadIdentity;
  readonly addresses: SidecarAddresses;
  /** `ISTIO_META_…` and `ISTIO_METAJSON_…` are read from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly version: string;
  /** Somebody asked the sidecar to stop, by its admin or status port. */
  readonly onQuit: () => void;
}

/** A sidecar: proxy, status port and what keeps them together. */
export interface Agent {
  readonly ready: boolean;
  /** Resolves when the proxy serves with its first configuration. */
  readonly whenReady: Promise<void>;
  drain(): void;
  close(): Promise<void>;
}

/** The extensions that every sidecar has in process, by the type of their configuration. */
const EXTENSIONS: ExtensionTable = {
  "stats.PluginConfig": createStats,
  "io.istio.http.peer_metadata.Config": createMetadataExchange,
};

/** Starts a sidecar. Rejects when an address cannot be bound or the bootstrap is refused. */
export async function runAgent(options: AgentOptions): Promise<Agent> {
  const { addresses, clock, log, version, onQuit } = options;
  const bootstrap = decodeBootstrap(createBootstrap(options.identity, addresses, options.environment));
  if (bootstrap.faults !== undefined)
    throw new Error(`The bootstrap is wrong: ${bootstrap.faults.map(formatFault).join("; ")}`);
  const proxy = createProxy({
    bootstrap: bootstrap.message,
    clock,
    extensions: EXTENSIONS,
    log,
    random: Math.random,
    uuid: randomUUID,
    onQuit,
    version,
  });
  const status = await startStatusServer({
    address: { ip: addresses.ip, port: addresses.statusPort },
    metrics: proxy.metrics,
    ready: () => proxy.ready,
    onQuit,
  });
  try {
    await proxy.start();
  } catch (error) {
    await status.close();
    await proxy.close();
    throw error;
  }
  return {
    get ready() {
      return proxy.ready;
    },
    whenReady: proxy.whenReady,
    drain: () => proxy.drain(),
    close: async () => {
      await Promise.all([proxy.close(), status.close()]);
    },
  };
}
