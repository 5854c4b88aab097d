import { type AdminServer, startAdminServer } from "@mixerless/admin-server";
import type { Clock } from "@mixerless/clock";
import { createXdsServer, type GrpcService, TypeUrl, type XdsServer } from "@mixerless/xds";
import { IdentifiedSource } from "../authority/identified-source.ts";
import { type MeshAuthority, openMeshAuthority } from "../authority/mesh-authority.ts";
import { allObjects } from "../config/all-objects.ts";
import type { ObjectKey } from "../config/config-object.ts";
import { ConfigStore } from "../config/config-store.ts";
import { type Fault, formatFault } from "../config/fault.ts";
import { FileSource } from "../config/file-source.ts";
import type { TelemetryMode } from "../generators/generator-input.ts";
import { authorizationFaults } from "../generators/security/authorization-faults.ts";
import { tokenFaults } from "../generators/security/token-faults.ts";
import { tlsFaults } from "../generators/tls/tls-faults.ts";
import { JoinedWorkloads } from "../joined/joined-workloads.ts";
import { JoiningSource } from "../joined/joining-source.ts";
import { createFetchText } from "../key-sets/fetch-text.ts";
import { MeshKeySets } from "../key-sets/mesh-key-sets.ts";
import { createPushContext } from "../model/create-push-context.ts";
import type { PushContext, RemoteKeys } from "../model/push-context.ts";
import { Debounce } from "../push/debounce.ts";
import { envoyFilterReport } from "../push/envoy-filter-report.ts";
import { PilotSource } from "../push/pilot-source.ts";
import { Pusher } from "../push/pusher.ts";
import { telemetryFaults } from "../telemetry/telemetry-faults.ts";
import { debugHandlers } from "./debug-handlers.ts";
import { PilotMetrics } from "./pilot-metrics.ts";
import { createPluginStatusService } from "./plugin-status-service.ts";
import { PluginStatuses } from "./plugin-statuses.ts";
import { pushStatus } from "./push-status.ts";

export interface PilotOptions {
  /** Directories and files of Istio configuration, watched. */
  readonly paths: readonly string[];
  readonly http: { readonly ip: string; readonly port: number };
  /** `host:port` of xDS. */
  readonly grpc: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly telemetry: TelemetryMode;
  /** Issues certificates to workloads; null: nobody gets one here. */
  readonly authority: PilotAuthority | null;
  /** Whether data planes fetch the keys of tokens themselves. Default: off, the control plane does. */
  readonly remoteKeys?: RemoteKeys;
  readonly version: string;
}

/** Identities are of the trust domain that MeshConfig names when the control plane starts. */
export interface PilotAuthority {
  readonly folder: string;
  /** `host:port` of xDS and certificates by TLS. */
  readonly secureGrpc: string;
}

/** A running control plane. */
export interface Pilot {
  readonly httpAddress: { readonly ip: string; readonly port: number };
  readonly grpcAddress: string;
  /** Null without an authority. */
  readonly secureGrpcAddress: string | null;
  close(): Promise<void>;
}

/** Quiet time and longest delay between a change and its push [control-plane §5.7]. */
const DEBOUNCE_AFTER = 100;
const DEBOUNCE_MAX = 10_000;

/** Reads the configuration, then serves it. Rejects when an address cannot be bound. */
export async function runPilot(options: PilotOptions): Promise<Pilot> {
  const { clock, log, paths } = options;
  const store = new ConfigStore();
  const files = new FileSource({ paths, store, clock });
  await files.start();

  const metrics = new PilotMetrics(clock, options.version);
  const early = new Set<ObjectKey>();
  let onKeys = (keys: ReadonlySet<ObjectKey>): void => {
    for (const key of keys) early.add(key);
  };
  const keySets = new MeshKeySets({
    clock,
    fetch: createFetchText(clock),
    remoteKeys: options.remoteKeys ?? "off",
    onChange: (keys) => onKeys(keys),
    onFetch: (ok) => metrics.keysFetched(ok),
  });
  // Proxies that connect at once must not be told for a moment that no token is valid.
  await new Promise<void>((resolve) => keySets.prepare(store.snapshot(), resolve));
  const first = createPushContext(store.snapshot(), keySets.pushOptions);
  const source = new PilotSource(first, options.telemetry, options.authority !== null);
  early.clear();
  const pusher = new Pusher(store, source, clock, metrics.pushObserver, () => keySets.pushOptions);
  const joined = new JoinedWorkloads(store, clock, paths.length);
  // A workload that joins is answered from what it has just brought in, so the snapshot can't wait.
  const joining = new JoiningSource(source, joined, () => takeOver());
  const authority =
    options.authority === null
      ? null
      : await openMeshAuthority({
          ...{ folder: options.authority.folder, trustDomain: first.mesh.trustDomain },
          ...{ clock, metrics: metrics.store, log },
          onRoots: () => xds.push(new Map([[TypeUrl.proxyConfig, "all"]])),
          connections: () => xds.connections(),
        });
  const plugins = new PluginStatuses();
  const pluginService = createPluginStatusService({ statuses: plugins, clock, authenticate: authority?.authenticate });
  const xds = createXdsServer({
    services: [pluginService(false)],
    source: authority === null ? joining : new IdentifiedSource(joining, () => authority.trusted),
    clock,
    address: options.grpc,
    observer: metrics.observer,
    ...(authority === null ? {} : securePort(authority, options.authority, pluginService(true))),
  });
  const seen = new Set<string>();
  // What was refused when it was read, and what was not, but cannot be enforced as written.
  const faults = () => [
    ...store.faults(),
    ...policyFaults(source.current, keySets),
    ...tlsFaults(source.current, authority === null ? null : first.mesh.trustDomain),
    ...envoyFilterReport(source.facts, source.proxies.values()).faults,
  ];
  const takeOver = () => {
    pusher.push(xds);
    report(faults(), seen, log);
    publishTotals(store, source, metrics);
  };
  const debounce = new Debounce(clock, DEBOUNCE_AFTER, DEBOUNCE_MAX, takeOver);
  onKeys = (keys) => {
    pusher.touch(keys);
    debounce.trigger();
  };
  if (early.size > 0) onKeys(early);
  store.subscribe((change) => {
    pusher.note(change);
    keySets.prepare(store.snapshot(), () => debounce.trigger());
  });
  report(faults(), seen, log);
  publishTotals(store, source, metrics);

  const grpcAddress = await xds.start();
  const handlers = debugHandlers({
    source,
    authority,
    xds,
    plugins,
    xdsAddress: grpcAddress,
    joined: () => joined.list(),
    refusal: (instance) => joining.refusal(instance),
    metrics,
    version: options.version,
    now: () => clock.now(),
    objects: () => allObjects(store.snapshot()),
    faults,
    ready: () => true,
  });
  let http: AdminServer;
  try {
    http = await startAdminServer(options.http, handlers);
  } catch (error) {
    await xds.close(0);
    throw error;
  }
  return {
    httpAddress: http.address,
    grpcAddress,
    secureGrpcAddress: xds.secureAddress,
    close: () => {
      joined.close();
      authority?.close();
      keySets.close();
      return stop(debounce, files, store, xds, http, metrics);
    },
  };
}

function securePort(authority: MeshAuthority, options: PilotAuthority | null, plugins: GrpcService) {
  const { authenticate, credentials, service } = authority;
  return { authenticate, secure: { address: options?.secureGrpc ?? "", credentials, services: [service, plugins] } };
}

function policyFaults(push: PushContext, keySets: MeshKeySets): Fault[] {
  return [...telemetryFaults(push), ...authorizationFaults(push), ...tokenFaults(push, (url) => keySets.problem(url))];
}

/** Tells each fault once, when it appears. */
function report(faults: readonly Fault[], seen: Set<string>, log: (message: string) => void): void {
  const current = new Set(faults.map(formatFault));
  for (const text of current) if (!seen.has(text)) log(text);
  seen.clear();
  for (const text of current) seen.add(text);
}

function publishTotals(store: ConfigStore, { current, proxies }: PilotSource, metrics: PilotMetrics): void {
  const errors = store.faults().filter((fault) => fault.severity === "error");
  const refused = new Set(errors.map(({ object, file }) => object || file)).size;
  metrics.configuration(current.services.length, store.snapshot().list("VirtualService").length, refused);
  metrics.pushStatus(pushStatus(current, proxies.values()));
}

async function stop(
  debounce: Debounce,
  files: FileSource,
  store: ConfigStore,
  xds: XdsServer,
  http: AdminServer,
  metrics: PilotMetrics,
): Promise<void> {
  debounce.close();
  files.close();
  store.close();
  await Promise.all([xds.close(), http.close()]);
  metrics.store.close();
}
