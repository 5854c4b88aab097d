import type { AdminAnswer, AdminHandler } from "@mixerless/admin-server";
import { negotiate } from "@mixerless/metrics";
import { toJson } from "@mixerless/wire";
import type { ProxyConnection, XdsServer } from "@mixerless/xds";
import { wantsOnlyRoots } from "../authority/identified-source.ts";
import type { MeshAuthority } from "../authority/mesh-authority.ts";
import type { ConfigObject } from "../config/config-object.ts";
import type { Fault } from "../config/fault.ts";
import type { Generated } from "../generators/generated.ts";
import type { JoinedWorkload } from "../joined/joined-workloads.ts";
import { envoyFilterReport } from "../push/envoy-filter-report.ts";
import { GENERATED_TYPES, generate, SCHEMA_OF_TYPE } from "../push/generate-resources.ts";
import type { PilotSource } from "../push/pilot-source.ts";
import { referencedNames } from "../push/referenced-names.ts";
import { authorityPages } from "./authority-pages.ts";
import { authorizationPage } from "./authorization-page.ts";
import type { PilotMetrics } from "./pilot-metrics.ts";
import type { PluginStatuses } from "./plugin-statuses.ts";
import { isScrape, SCRAPES, scrapeTargets } from "./scrape-targets.ts";
import { syncz } from "./syncz.ts";
import { telemetryPage } from "./telemetry-page.ts";
import { whoCanPage } from "./who-can-page.ts";

/** What the debug pages look at. */
export interface DebugFacts {
  readonly source: PilotSource;
  readonly authority: Pick<MeshAuthority, "roots" | "expiryOf"> | null;
  readonly xds: XdsServer;
  readonly xdsAddress: string;
  readonly plugins: Pick<PluginStatuses, "list">;
  readonly joined: () => readonly JoinedWorkload[];
  /** Why a joining instance was refused; null when it was not. */
  readonly refusal: (instance: string) => string | null;
  readonly metrics: PilotMetrics;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly objects: () => readonly ConfigObject[];
  readonly faults: () => readonly Fault[];
  /** Whether a first configuration has been read. */
  readonly ready: () => boolean;
}

/** The pages of istiod's debug interface that exist so far [control-plane §5.9]. */
export function debugHandlers(facts: DebugFacts): AdminHandler[] {
  const show = (path: string, help: string, handle: AdminHandler["handle"]): AdminHandler => ({
    path,
    help,
    mutates: false,
    handle,
  });
  return [
    show("/ready", "whether configuration is being served", () => ({
      status: facts.ready() ? 200 : 503,
      body: facts.ready() ? "ready\n" : "not ready\n",
    })),
    show("/version", "version of this control plane", () => ({ body: `${facts.version}\n` })),
    show("/metrics", "pilot_* series in the Prometheus format", (_query, request) =>
      metrics(facts, request.headers.accept),
    ),
    show("/debug/registryz", "services with their ports and endpoints", () => json(registry(facts))),
    show("/debug/configz", "configuration objects in use", () => json(facts.objects().map((object) => object.raw))),
    show("/debug/faultz", "configuration that was refused, and why", () => json(facts.faults())),
    show("/debug/envoyfilterz", "what each patch of each EnvoyFilter changes in the connected proxies", () =>
      json(envoyFilters(facts)),
    ),
    show("/debug/syncz", "what each proxy was sent and has acknowledged", () =>
      json(syncz(proxies(facts), facts.authority)),
    ),
    show("/debug/pluginz", "Wasm plugins of each proxy, as it told them last", () => json(facts.plugins.list())),
    show("/debug/config_dump", "the resources of one proxy (proxyID=<name>.<namespace>)", (query) =>
      configDump(facts, query),
    ),
    show(
      "/debug/authorizationz",
      "what policies say to a call (to=, from=, port=, method=, path=, header=)",
      (query, request) => authorizationPage(facts.source, query, tokenOf(request.headers), facts.now()),
    ),
    show("/debug/whocanz", "who may call which port of a proxy (to=<name>.<namespace>)", (query) =>
      whoCanPage(facts.source, query),
    ),
    show(
      "/debug/telemetryz",
      "what a proxy measures and logs, and by which object (proxyID=<name>.<namespace>)",
      (query) => telemetryPage(facts.source, query),
    ),
    ...authorityPages(facts.authority),
    show("/debug/addressz", "where proxies connect", () =>
      json({ xds: facts.xdsAddress, secureXds: facts.xds.secureAddress }),
    ),
    show("/debug/joinz", "workloads that joined by themselves (instance=<id>: whether one was taken in)", (query) =>
      json(joinz(facts, query.get("instance"))),
    ),
    show("/debug/adsz", "connected proxies", () => json(connections(facts))),
    show("/sd/prometheus", "targets for Prometheus (scrape=merged, proxy or application)", (query) =>
      serviceDiscovery(facts, query.get("scrape") ?? "merged"),
    ),
  ];
}

function json(value: unknown, status = 200): AdminAnswer {
  return { status, body: `${JSON.stringify(value, null, 2)}\n`, contentType: "application/json" };
}

function metrics(facts: DebugFacts, accept: string | undefined): AdminAnswer {
  const format = negotiate(accept);
  facts.metrics.refresh();
  return { body: facts.metrics.store.expose({ format }), contentType: format.contentType };
}

function registry({ source }: DebugFacts): unknown {
  const push = source.current;
  return push.services.map((service) => ({
    hostname: service.hostname,
    namespace: service.namespace,
    registry: service.registry,
    resolution: service.resolution,
    meshExternal: service.meshExternal,
    addresses: service.addresses,
    source: place(service.config),
    ports: service.ports.map((port) => ({
      name: port.name,
      port: port.port,
      protocol: port.protocol,
      endpoints: push.endpoints(service.key, port.port).map((endpoint) => ({
        address: `${endpoint.address}:${endpoint.port}`,
        health: endpoint.health,
        workload: endpoint.istioWorkload,
        labels: endpoint.labels,
      })),
    })),
  }));
}

/** Not a part of the query, which may end up in somebody's log. */
function tokenOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | null {
  const token = headers["x-mixerless-jwt"];
  return typeof token === "string" ? token : null;
}

function joinz(facts: DebugFacts, instance: string | null): unknown {
  const joined = facts.joined();
  if (instance === null) return joined;
  const refused = facts.refusal(instance);
  return { joined: joined.some((entry) => entry.instance === instance && entry.connected), refused };
}

function serviceDiscovery({ source }: DebugFacts, scrape: string): AdminAnswer {
  if (!isScrape(scrape)) return { status: 400, body: `scrape=${scrape} is not known; give ${SCRAPES.join(", ")}.\n` };
  return json(scrapeTargets(source.proxies.values(), scrape));
}

/** Streams of data planes; what serves secrets to one of them has another. */
function proxies({ xds }: DebugFacts): ProxyConnection[] {
  return xds.connections().filter(({ node }) => !wantsOnlyRoots(node));
}

function connections(facts: DebugFacts): unknown {
  const { source } = facts;
  const clients = proxies(facts).map((connection) => {
    const proxy = source.proxies.get(connection.connectionId);
    return {
      connectionId: connection.connectionId,
      connectedAt: new Date(connection.connectedAt).toISOString(),
      address: connection.peerAddress,
      mode: connection.mode,
      labels: proxy?.labels,
      metadata: proxy?.metadata,
      locality: proxy?.locality,
    };
  });
  return { totalClients: clients.length, clients };
}

function envoyFilters({ source }: DebugFacts): unknown {
  const { outcomes } = envoyFilterReport(source.facts, source.proxies.values());
  return outcomes.map(({ config, index, proxies, changed, nearest, problems }) => ({
    patch: `${place(config, `spec.configPatches[${index}]`)} spec.configPatches[${index}]`,
    applyTo: config.spec.configPatches[index]?.applyTo,
    operation: config.spec.configPatches[index]?.patch.operation,
    proxies,
    changed,
    ...(nearest === "" ? {} : { nearest }),
    ...(problems.length === 0 ? {} : { problems }),
  }));
}

/** Everything that a proxy would be sent now, each element with the objects it came from. */
function configDump({ source }: DebugFacts, query: URLSearchParams): AdminAnswer {
  const id = query.get("proxyID") ?? "";
  const proxy = [...source.proxies.values()].find((entry) => entry.podKey === id || entry.id === id);
  if (proxy === undefined) {
    const known = [...source.proxies.values()].map((entry) => entry.podKey).join(", ");
    return json({ error: `No proxy "${id}" is connected. Connected: ${known || "none"}.` }, 404);
  }
  const input = { proxy, push: source.current, telemetry: source.telemetry, mutualTls: source.mutualTls };
  const dump = GENERATED_TYPES.map((typeUrl) => ({
    typeUrl,
    resources: (generate(input, typeUrl, referencedNames(input, typeUrl)) ?? []).map((entry) =>
      describe(typeUrl, entry),
    ),
  }));
  return json({ proxy: proxy.id, revision: source.current.revision, configs: dump });
}

function describe(typeUrl: string, entry: Generated): unknown {
  const schema = SCHEMA_OF_TYPE[typeUrl];
  return {
    name: entry.name,
    from: [...new Set(entry.provenance.map(({ config, path }) => place(config, path)))],
    ...(entry.elements === undefined ? {} : { elements: elements(entry) }),
    resource: schema === undefined ? null : toJson(schema, entry.message as never, { declaredNames: true }),
  };
}

/** A part that EnvoyFilters changed names what it was made from, then the patches. */
function elements({ elements: parts = [] }: Generated): Record<string, string> {
  const places = new Map<string, string[]>();
  for (const { name, provenance } of parts)
    places.set(name, [...(places.get(name) ?? []), place(provenance.config, provenance.path)]);
  return Object.fromEntries([...places].map(([name, of]) => [name, of.join(", ")]));
}

/** `VirtualService default/reviews (reviews.yaml:12)`. */
function place(config: ConfigObject, path = ""): string {
  const at = path === "" ? config.origin : config.originOf(path);
  return `${config.kind} ${config.namespace}/${config.name} (${at.file}:${at.line})`;
}
