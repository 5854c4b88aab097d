import { type AdminAddress, type AdminHandler, type AdminServer, startAdminServer } from "@mixerless/admin-server";
import { DeadlineWheel } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { compileAccessLoggers } from "./access-log/access-logger.ts";
import type { BatchingSinks } from "./access-log/batching-sinks.ts";
import { createFileSinks } from "./access-log/file-sinks.ts";
import { adminHandlers } from "./admin/admin-handlers.ts";
import { OwnSeries } from "./admin/own-series.ts";
import { listenerOwner, type ProcessStats } from "./admin/own-stats.ts";
import { compileStatsSettings } from "./admin/stats-settings.ts";
import { createClientCodec, createServerCodecs } from "./codecs.ts";
import { applyStatic, checkStatic } from "./config/apply-static.ts";
import { atMost } from "./config/at-most.ts";
import { ConfigRegistry } from "./config/config-registry.ts";
import type { ConfigStream } from "./config/config-stream.ts";
import { FilterConfigs } from "./config/filter-configs.ts";
import { openConfigStream } from "./config/open-config-stream.ts";
import { ResourceIntake } from "./config/resource-intake.ts";
import { RouteManager } from "./config/route-manager.ts";
import type { DataPlane } from "./data-plane.ts";
import { createExtensionHost } from "./extension-host/create-extension-host.ts";
import type { ExtensionHost } from "./extension-host/extension-host.ts";
import { type ClosableGrpcClient, createGrpcClient } from "./grpc/create-grpc-client.ts";
import { createChainFactory } from "./listener/create-chain.ts";
import { type DrainRequest, DrainSequence } from "./listener/drain-sequence.ts";
import { ListenerManager, type ListenerState } from "./listener/listener-manager.ts";
import { createSocketListener } from "./listener/socket-listener.ts";
import { LogLevels, pluginLevel } from "./log-levels.ts";
import type { ConfigFault } from "./network/config-fault.ts";
import type { FilterChainContext } from "./network/context.ts";
import type { ProxyOptions } from "./proxy-options.ts";
import { FileSecrets } from "./tls/file-secrets.ts";
import { PilotSecrets } from "./tls/pilot-secrets.ts";
import { RoutedSecrets } from "./tls/routed-secrets.ts";
import { type SecretSource, SecretStore } from "./tls/secret-store.ts";
import { createTlsStats } from "./tls/stats.ts";
import { UpstreamTls } from "./tls/upstream-tls.ts";
import { isPipe } from "./transport/socket-address.ts";
import { createTransportFactory } from "./transport/transport-factory.ts";
import { ActiveClusterManager } from "./upstream/active-cluster-manager.ts";
import { systemResolver } from "./upstream/dns-resolver.ts";
import type { Connector } from "./upstream/pool/connector.ts";
import { PluginServices } from "./wasm/plugin-services.ts";
import type { PluginReport } from "./wasm/plugin-status.ts";

/** A data plane in this process. */
export interface Proxy extends DataPlane {
  readonly metrics: MetricStore;
  readonly series: OwnSeries;
  /** Every secret that its configuration names, wherever it comes from. */
  readonly secrets: SecretSource;
  /** The admin interface, for whoever serves it elsewhere. */
  adminHandlers(): AdminHandler[];
}

const DRAIN_TIME = 45_000;
/** Most milliseconds that the first plugins hold up readiness. */
const FIRST_PLUGIN_PATIENCE = 5000;
/** Most milliseconds that chains with new plugins wait for them; as long as Envoy waits for a filter's configuration. */
const PLUGIN_PATIENCE = 15_000;
/** Routes follow their clusters within one push. */
const CLUSTER_REMOVAL_GRACE = 5000;
/** Routes and chains wait for new clusters, for as long as those that the old ones name are sure to be there. */
const CLUSTER_PATIENCE = 4000;

export function createProxy(options: ProxyOptions): Proxy {
  return new EmbeddedProxy(options);
}

class EmbeddedProxy implements Proxy {
  readonly #options: ProxyOptions;
  readonly #wheel: DeadlineWheel;
  readonly #registry: ConfigRegistry;
  readonly #routes: RouteManager;
  readonly #filterConfigs = new FilterConfigs(() => this.#listeners.dependenciesChanged());
  readonly #clusters: ActiveClusterManager;
  readonly #grpc: ClosableGrpcClient;
  readonly #listeners: ListenerManager;
  readonly #extensions: ExtensionHost;
  readonly #services: PluginServices;
  readonly #drain: DrainSequence;
  readonly #logLevels: LogLevels;
  readonly #sinks: BatchingSinks;
  readonly #intake: ResourceIntake;
  readonly #files: FileSecrets;
  readonly #pilotSecrets = new PilotSecrets();
  readonly secrets: SecretSource;
  readonly metrics: MetricStore;
  readonly series: OwnSeries;
  readonly #started: number;
  readonly whenReady: Promise<void>;
  #becomeReady: () => void = () => {};
  #stream: ConfigStream | null = null;
  #admin: AdminServer | null = null;
  #ready = false;

  constructor(options: ProxyOptions) {
    const { clock, random, bootstrap } = options;
    this.#options = options;
    this.#logLevels = new LogLevels(options.log);
    const log = this.#logLevels.logger("main");
    const pluginLog = this.#logLevels.logger("wasm");
    this.whenReady = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    this.#wheel = new DeadlineWheel(clock);
    this.#registry = new ConfigRegistry(clock);
    const isWarming = (name: string) => this.#clusters.get(name) === null && this.#clusters.warming.has(name);
    this.#routes = new RouteManager(clock, isWarming, CLUSTER_PATIENCE);
    this.metrics = new MetricStore({ clock });
    this.#started = clock.monotonic();
    const settings = compileStatsSettings(bootstrap.statsConfig, "statsConfig", []);
    const transports = createTransportFactory();
    this.#files = new FileSecrets(clock, log);
    const sources = { agent: options.secrets ?? new SecretStore(), files: this.#files, pilot: this.#pilotSecrets };
    this.secrets = options.parts?.secrets ?? new RoutedSecrets(sources);
    const { secrets } = this;
    const clientCodec = createClientCodec();
    const sourceAddress = bootstrap.clusterManager?.upstreamBindConfig?.sourceAddress?.address ?? null;
    const connector: Connector = {
      connect: (target, { localAddress, tls, alpn, bufferLimit }, onConnected, onFailed) =>
        transports.connect(
          isPipe(target) ? { path: target.ip } : { host: target.ip, port: target.port },
          {
            localAddress: isPipe(target) ? undefined : (localAddress ?? sourceAddress ?? undefined),
            bufferLimit,
            secure: tls === null ? undefined : (raw, secured, failed) => tls.secure(raw, alpn, secured, failed),
          },
          onConnected,
          onFailed,
        ),
      createHttpConnection: (transport, callbacks) => clientCodec.connect(transport, callbacks),
    };
    this.#clusters = new ActiveClusterManager({
      clock,
      wheel: this.#wheel,
      random,
      connector,
      createTls: (config, name) => {
        const stats = createTlsStats(this.metrics, "cluster", [settings.labels.cluster, name]);
        return new UpstreamTls({ config, secrets, clock, stats });
      },
      resolve: systemResolver,
      onWarmed: () => this.#intake?.clusterWarmed(),
    });
    this.#sinks = createFileSinks(clock, this.metrics);
    this.#grpc = createGrpcClient(this.#clusters, clock);
    const { extensions, expressions } = createExtensionHost({
      ...{ table: options.extensions, states: options.states, modules: options.modules, node: bootstrap.node, clock },
      ...{ ownModules: options.ownModules, metrics: this.metrics, grpc: this.#grpc },
      log: (level, message) => pluginLog(message, pluginLevel(level)),
      onPluginStarted: () => this.#listeners.dependenciesChanged(),
    });
    this.#extensions = extensions;
    const servicePart = { clock, extensions, clusters: this.#clusters, part: options.parts?.services ?? "all" };
    this.#services = new PluginServices(bootstrap, servicePart);
    const chainContext: Omit<FilterChainContext, "listener" | "bufferLimit"> = {
      clock,
      wheel: this.#wheel,
      clusters: this.#clusters,
      routes: this.#routes,
      filterConfigs: this.#filterConfigs,
      accessLogs: this.#sinks,
      metrics: this.metrics,
      extensions,
      expressions,
      createServerConnection: createServerCodecs(),
      random,
      uuid: options.uuid,
    };
    const drainTime = options.drainTime ?? DRAIN_TIME;
    this.#listeners = new ListenerManager({
      clock,
      listen: options.parts?.listen ?? createSocketListener(transports, this.#wheel),
      createChain: (chain, { facts, address, bufferLimit }) =>
        createChainFactory(chain, { ...chainContext, listener: facts, bufferLimit }, secrets, [
          settings.labels.listener,
          listenerOwner(address),
        ]),
      compileAccessLogs: (logs, path, faults) => compileAccessLoggers(logs, chainContext, path, faults),
      hasRoutes: (name) => this.#routes.get(name) !== null,
      isWarming,
      clusterPatience: CLUSTER_PATIENCE,
      pluginPatience: PLUGIN_PATIENCE,
      drainTime,
      log,
    });
    this.series = new OwnSeries({ ...this.#statsFacts(), settings, part: options.parts?.series ?? "all" });
    this.#drain = new DrainSequence(this.#listeners, clock, drainTime);
    this.#intake = new ResourceIntake({
      clock,
      clusters: this.#clusters,
      listeners: this.#listeners,
      routes: this.#routes,
      filterConfigs: this.#filterConfigs,
      registry: this.#registry,
      subscribe: (kind, names) => this.#stream?.subscribe(kind, names),
      clusterRemovalGrace: CLUSTER_REMOVAL_GRACE,
    });
  }

  get ready(): boolean {
    return this.#ready;
  }

  check(): readonly ConfigFault[] {
    return [...checkStatic(this.#options.bootstrap, this.#clusters, this.#listeners), ...this.#services.check()];
  }

  async start(): Promise<void> {
    const { bootstrap, clock, cacheFile, parts, onMeshRoots } = this.#options;
    const log = this.#logLevels.logger("config");
    applyStatic(bootstrap, this.#clusters, this.#listeners, this.#registry, this.#services.check());
    this.#services.start();
    await this.#startAdmin();
    await this.#listeners.settled();
    this.#stream = await (parts?.openStream ?? openConfigStream)(bootstrap, {
      ...{ clock, log, cacheFile: cacheFile ?? null, secrets: this.secrets, onMeshRoots },
      onUpdate: (update) => this.#update(update),
      onSecrets: (update) => this.#pilotSecrets.take(update),
    });
    if (this.#stream !== null) this.#intake.start();
    else {
      await this.#settled();
      this.#markReady();
    }
    this.#pilotSecrets.askBy((names) => this.#stream?.subscribeSecrets(names));
  }

  reportHealth(healthy: boolean, reason: string): void {
    this.#stream?.reportHealth(healthy, reason);
  }

  listenerAddress(name: string): string | null {
    return this.#listeners.states.find((state) => state.name === name)?.address ?? null;
  }

  get listeners(): readonly ListenerState[] {
    return this.#listeners.states;
  }

  plugins(): Promise<readonly PluginReport[]> {
    return Promise.resolve(this.#extensions.pluginReports());
  }

  get adminAddress(): AdminAddress | null {
    return this.#admin?.address ?? null;
  }

  reopenLogs(): void {
    this.#sinks.reopen();
    this.#options.parts?.onReopenLogs?.();
  }

  drain(request: DrainRequest): void {
    this.#drain.begin(request);
    this.#options.parts?.onDrain?.(request);
  }

  get activeConnections(): number {
    const dynamic = this.#registry.resources("listener").filter((resource) => resource.dynamic);
    return this.#listeners.connectionsOf(dynamic.map((resource) => resource.name));
  }

  async close(): Promise<void> {
    const cacheWritten = this.#stream?.close();
    this.#drain.close();
    this.#intake.close();
    this.#routes.close();
    this.#listeners.close();
    this.#services.close();
    this.#grpc.close();
    this.#clusters.close();
    this.#wheel.close();
    this.#files.close();
    this.#sinks.close();
    this.metrics.close();
    await Promise.all([this.#admin?.close(), cacheWritten, this.#options.closeExtensions?.()]);
  }

  #update(update: Parameters<ResourceIntake["apply"]>[0]) {
    const refused = this.#intake.apply(update);
    if (!this.#ready && this.#intake.initialized) void this.#settled().then(() => this.#markReady());
    return refused;
  }

  /** Listeners are bound, and the first plugins run: telemetry that is one is to miss nothing. */
  async #settled(): Promise<void> {
    const { clock } = this.#options;
    await this.#listeners.settled();
    await atMost(clock, FIRST_PLUGIN_PATIENCE, this.#listeners.started());
    await atMost(clock, FIRST_PLUGIN_PATIENCE, this.#extensions.settled());
  }

  #markReady(): void {
    this.#ready = true;
    this.#becomeReady();
  }

  adminHandlers(): AdminHandler[] {
    const { bootstrap, clock, version, onQuit } = this.#options;
    return adminHandlers({
      clock,
      bootstrap,
      version,
      startTime: clock.now(),
      started: this.#started,
      ...this.#statsFacts(),
      series: this.series,
      clusters: this.#clusters,
      listeners: this.#listeners,
      registry: this.#registry,
      secrets: this.secrets,
      plugins: this.#extensions,
      logLevels: this.#logLevels,
      reopenLogs: () => this.reopenLogs(),
      state: () => this.#state,
      drain: (request) => this.drain(request),
      quit: onQuit,
    });
  }

  get #state(): ProcessStats["state"] {
    return this.#drain.begun ? "DRAINING" : this.#ready ? "LIVE" : "PRE_INITIALIZING";
  }

  #statsFacts() {
    const process = () => (this.#options.parts?.series === "counted" ? null : this.#processStats());
    return { metrics: this.metrics, clusters: this.#clusters, listeners: this.#listeners, process };
  }

  #processStats(): ProcessStats {
    const { bootstrap, clock, parts } = this.#options;
    const service = bootstrap.dynamicResources?.adsConfig?.grpcServices[0]?.targetSpecifier;
    const cluster = service?.case === "envoyGrpc" ? service.value.clusterName : null;
    return {
      uptimeSeconds: Math.floor((clock.monotonic() - this.#started) / 1000),
      state: this.#state,
      concurrency: parts?.concurrency ?? 1,
      warmingClusters: this.#clusters.warming.size,
      controlPlane: cluster === null ? null : { cluster, connected: this.#stream?.connected ?? false },
    };
  }

  async #startAdmin(): Promise<void> {
    const { bootstrap, adminToken, parts } = this.#options;
    const address = bootstrap.admin?.address?.address;
    if (address?.case !== "socketAddress") return;
    const port = address.value.portSpecifier.case === "portValue" ? address.value.portSpecifier.value : 0;
    const own = this.adminHandlers();
    this.#admin = await startAdminServer({ ip: address.value.address, port }, parts?.wrapAdmin?.(own) ?? own, {
      token: adminToken,
      private: true,
    });
  }
}
