import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "@mixerless/clock";
import {
  createProxy,
  createProxyGroup,
  decodeBootstrap,
  openPluginStream,
  SecretStore,
  type WorkerSettings,
} from "@mixerless/proxy";
import { formatFault } from "@mixerless/wire";
import { createBootstrap, type SidecarAddresses } from "./bootstrap.ts";
import { BUILT_IN_MODULES, BUILT_IN_STATES, createBuiltInExtensions } from "./built-in-extensions.ts";
import { GracefulStop } from "./graceful-stop.ts";
import { type CertificateSettings, certificateFrom } from "./identity/certificate-settings.ts";
import { FileCertificate } from "./identity/file-certificate.ts";
import { AgentSeries } from "./merge/agent-series.ts";
import { MergedSeries } from "./merge/merged-series.ts";
import { scrapeTargets } from "./merge/scrape-targets.ts";
import { createModuleCache } from "./modules/create-module-cache.ts";
import type { WorkloadIdentity } from "./node-identity.ts";
import { PluginReporter } from "./plugin-reporter.ts";
import { readAppProbes } from "./probes/app-probes.ts";
import { startStatusServer } from "./status-server.ts";
import { readStopSettings } from "./stop-settings.ts";

export interface AgentOptions {
  readonly identity: WorkloadIdentity;
  readonly addresses: SidecarAddresses;
  /** `ISTIO_META_…`, `ISTIO_METAJSON_…`, `ISTIO_PROMETHEUS_ANNOTATIONS`, `ISTIO_KUBE_APP_PROBERS`, `MIXERLESS_ADMIN_TOKEN`; the settings of the stop. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How this workload comes by its certificate; left out, it has none and everything is in clear. */
  readonly certificate?: CertificateSettings | undefined;
  /** Folder of a certificate that somebody else puts there and renews; wins over {@link certificate}. */
  readonly certificateFolder?: string | undefined;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly version: string;
  /** Folder for what outlives this process: the last good configuration, never a secret. Nothing is kept if left out. */
  readonly stateFolder?: string;
  /** Processes that carry the traffic; left out, this one does. */
  readonly workers?: WorkerSettings | undefined;
  /** Somebody asked the sidecar to stop, by its status port: drain it, then close it. */
  readonly onStop: () => void;
  /** Somebody asked the proxy to end at once, by its admin port. */
  readonly onQuit: () => void;
}

/** A sidecar: proxy, status port and what keeps them together. */
export interface Agent {
  readonly ready: boolean;
  /** Resolves when the proxy serves with its first configuration. */
  readonly whenReady: Promise<void>;
  /** Tells the control plane how the application is; `reason` where it is not well. */
  reportHealth(healthy: boolean, reason: string): void;
  /** Takes the sidecar out of service. Resolves when it may be closed, which the environment decides. */
  drain(): Promise<void>;
  /** Lets the access logs go on in newly opened files, after a rotation. */
  reopenLogs(): void;
  /** Ends at once. */
  close(): Promise<void>;
}

/** The application has its ports on loopback, with or without a sidecar in front. */
const APPLICATION = "127.0.0.1";

const CACHE_FILE = "configuration.cache";
/** Milliseconds that the start waits for a certificate before it goes on without. */
const CERTIFICATE_PATIENCE = 3000;

/** What gives the data plane its certificate and its roots. */
interface OwnCertificate {
  start(): Promise<void>;
  /** The control plane names the mesh's roots. */
  trust(roots: readonly string[]): void;
  close(): void;
}

function createCertificate(
  { certificate, certificateFolder: folder, identity, clock, log }: AgentOptions,
  secrets: SecretStore,
  { identity: series }: AgentSeries,
): OwnCertificate | null {
  if (folder !== undefined) return new FileCertificate({ folder, secrets, clock, log, series });
  if (certificate === undefined) return null;
  const { namespace, serviceAccount } = identity;
  return certificateFrom(certificate, { workload: { namespace, serviceAccount }, secrets, clock, log, series });
}

/** Starts a sidecar. Rejects when an address cannot be bound or the bootstrap is refused. */
export async function runAgent(options: AgentOptions): Promise<Agent> {
  const { addresses, clock, log, version, onQuit } = options;
  const { environment, identity } = options;
  const settings = readStopSettings(environment);
  const targets = scrapeTargets(environment, identity.annotations, addresses.statusPort);
  const probes = readAppProbes(environment);
  const bootstrap = decodeBootstrap(createBootstrap(identity, addresses, environment));
  if (bootstrap.faults !== undefined)
    throw new Error(`The bootstrap is wrong: ${bootstrap.faults.map(formatFault).join("; ")}`);
  const agentSeries = new AgentSeries(clock);
  const secrets = new SecretStore();
  const modules = createModuleCache({
    clock,
    log,
    environment,
    folder: options.stateFolder,
    metrics: agentSeries.store,
  });
  const certificate = createCertificate(options, secrets, agentSeries);
  const extensions = createBuiltInExtensions({ clock, environment, alone: options.workers === undefined });
  const proxyOptions = {
    bootstrap: bootstrap.message,
    clock,
    extensions: extensions.table,
    closeExtensions: extensions.close,
    ownModules: BUILT_IN_MODULES,
    states: BUILT_IN_STATES,
    modules,
    log,
    random: Math.random,
    uuid: randomUUID,
    onQuit,
    version,
    adminToken: environment.MIXERLESS_ADMIN_TOKEN,
    secrets,
    // Who trusts what files say has nothing to confirm.
    ...(certificate === null || options.certificateFolder !== undefined
      ? {}
      : { onMeshRoots: (roots: readonly string[]) => certificate.trust(roots) }),
    ...(options.stateFolder === undefined ? {} : { cacheFile: join(options.stateFolder, CACHE_FILE) }),
  };
  const { workers } = options;
  const proxy = workers === undefined ? createProxy(proxyOptions) : createProxyGroup(proxyOptions, workers);
  // As Istio's agent: a sidecar's clients are those of its inbound side, all clients of a gateway come from elsewhere.
  const scope = identity.type === "sidecar" ? "inbound" : "all";
  const going = new GracefulStop({
    clock,
    log,
    settings,
    drain: (skipExit) => proxy.drain({ scope, graceful: true, skipExit }),
    activeConnections: () => proxy.activeConnections,
  });
  const series = new MergedSeries({ clock, log, agent: agentSeries, proxy: proxy.series, host: APPLICATION, targets });
  const status = await startStatusServer({
    address: { ip: addresses.ip, port: addresses.statusPort },
    clock,
    series,
    probes,
    applicationHost: APPLICATION,
    token: environment.MIXERLESS_ADMIN_TOKEN,
    ready: () => proxy.ready && !going.begun,
    onDrain: () => going.drainNow(),
    onStop: options.onStop,
  });
  try {
    // A moment's patience: with a certificate the first call to the control plane succeeds.
    if (certificate !== null)
      await Promise.race([certificate.start(), new Promise<void>((wake) => clock.after(CERTIFICATE_PATIENCE, wake))]);
    await proxy.start();
  } catch (error) {
    certificate?.close();
    modules.close();
    await status.close();
    await proxy.close();
    throw error;
  }
  const plugins = new PluginReporter({
    clock,
    look: () => proxy.plugins(),
    open: () => openPluginStream(bootstrap.message, { clock, secrets, random: Math.random }),
  });
  return {
    get ready() {
      return proxy.ready;
    },
    whenReady: proxy.whenReady,
    reportHealth: (healthy, reason) => proxy.reportHealth(healthy, reason),
    drain: () => going.wait(),
    reopenLogs: () => proxy.reopenLogs(),
    close: async () => {
      certificate?.close();
      modules.close();
      plugins.close();
      await Promise.all([proxy.close(), status.close()]);
      agentSeries.close();
    },
  };
}
