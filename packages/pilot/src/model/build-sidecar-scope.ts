import type { ConfigObject } from "../config/config-object.ts";
import type { MeshConfigSpec } from "../config/kinds/mesh-config.ts";
import type { SidecarEgress } from "../config/kinds/sidecar.ts";
import { aliasTarget } from "./alias-target.ts";
import type { DestinationRuleIndex } from "./destination-rule-index.ts";
import { destinationsOf, importServices, importVirtualServices, parseImports, withPorts } from "./import-services.ts";
import { parseProtocol } from "./select-protocol.ts";
import type { Service } from "./service.ts";
import type { ServiceIndex } from "./service-index.ts";
import type { EgressListener, IngressListener, SidecarScope } from "./sidecar-scope.ts";
import type { ResolvedVirtualService } from "./virtual-service.ts";

/** What scopes are built from. */
export interface ScopeFacts {
  readonly mesh: MeshConfigSpec;
  readonly services: ServiceIndex;
  readonly virtualServices: readonly ResolvedVirtualService[];
  readonly destinationRules: DestinationRuleIndex;
}

const EVERYTHING: SidecarEgress = Object.freeze({ bind: "", captureMode: "DEFAULT", hosts: Object.freeze(["*/*"]) });

/** The scope of workloads of `namespace` under a Sidecar, or under the implicit default. */
export function buildSidecarScope(
  facts: ScopeFacts,
  namespace: string,
  config: ConfigObject<"Sidecar"> | undefined,
): SidecarScope {
  const spec = config?.spec;
  const written = spec?.egress ?? [];
  const egress =
    written.length === 0
      ? [egressListener(facts, namespace, EVERYTHING, "")]
      : written.map((entry, index) => egressListener(facts, namespace, entry, `spec.egress[${index}]`));
  const services = allServices(facts, namespace, egress);
  const byHostname = new Map(services.map((service) => [service.hostname, service]));
  const pool = spec?.inboundConnectionPool;
  return Object.freeze<SidecarScope>({
    ...(config === undefined ? {} : { config }),
    namespace,
    egress: Object.freeze(egress),
    ...(spec === undefined || spec.ingress.length === 0 ? {} : { ingress: ingressListeners(spec.ingress) }),
    services: Object.freeze(services),
    outboundTrafficPolicy: spec?.outboundTrafficPolicy ?? facts.mesh.outboundTrafficPolicy,
    ...(pool === undefined ? {} : { inboundConnectionPool: pool }),
    service: (hostname) => byHostname.get(hostname.toLowerCase()),
    destinationRule: (hostname, labels) => {
      const host = hostname.toLowerCase();
      const service = byHostname.get(host) ?? facts.services.chosen(host, namespace);
      return facts.destinationRules.find(namespace, labels, host, service?.namespace);
    },
  });
}

function ingressListeners(
  entries: NonNullable<ConfigObject<"Sidecar">["spec"]>["ingress"],
): readonly IngressListener[] {
  return Object.freeze(
    entries.map((entry, index) =>
      Object.freeze({ ...entry, protocol: parseProtocol(entry.port.protocol), path: `spec.ingress[${index}]` }),
    ),
  );
}

function egressListener(facts: ScopeFacts, namespace: string, entry: SidecarEgress, path: string): EgressListener {
  const imports = parseImports(entry.hosts, namespace);
  const imported = importServices(facts.services.all, imports, namespace);
  const { port } = entry;
  const resolvedPort = port === undefined ? undefined : { ...port, resolvedProtocol: parseProtocol(port.protocol) };
  // A Unix socket and an explicit HTTP proxy serve every port of what they import.
  const bound =
    resolvedPort !== undefined && resolvedPort.number !== 0 && resolvedPort.resolvedProtocol !== "HTTP_PROXY";
  const services = bound
    ? imported.flatMap((service) => withPorts(service, (candidate) => candidate.port === resolvedPort.number) ?? [])
    : imported;
  return Object.freeze<EgressListener>({
    ...(resolvedPort === undefined ? {} : { port: Object.freeze(resolvedPort) }),
    bind: entry.bind,
    captureMode: entry.captureMode,
    services: Object.freeze(services),
    virtualServices: Object.freeze(importVirtualServices(facts.virtualServices, imports, namespace)),
    path,
  });
}

/** Services of all listeners with the union of their ports, and those that imported VirtualServices lead to. */
function allServices(facts: ScopeFacts, namespace: string, egress: readonly EgressListener[]): Service[] {
  const chosen = new Map<string, Service>();
  for (const listener of egress) for (const service of listener.services) addService(chosen, service, namespace, facts);
  const explicit = new Set(chosen.keys());
  for (const listener of egress) {
    for (const virtual of listener.virtualServices) {
      for (const [host, ports] of destinationsOf(virtual)) {
        const service = explicit.has(host) ? undefined : facts.services.chosen(host, namespace);
        if (service === undefined) continue;
        const reached = ports.has(undefined) ? service : withPorts(service, (port) => ports.has(port.port));
        if (reached !== undefined) addService(chosen, reached, namespace, facts);
      }
    }
  }
  addAliasTargets(chosen, namespace, facts);
  return facts.services.all.flatMap((service) => {
    const entry = chosen.get(service.hostname);
    return entry?.key === service.key ? [entry] : [];
  });
}

/** What an imported name stands for is reached through it, imported or not. */
function addAliasTargets(chosen: Map<string, Service>, namespace: string, facts: ScopeFacts): void {
  const find = (host: string) => facts.services.chosen(host, namespace);
  for (const { resolution, hostname, ports } of [...chosen.values()]) {
    const target = resolution === "alias" ? find(aliasTarget(hostname, find)) : undefined;
    if (target === undefined || target.resolution === "alias") continue;
    const reached = withPorts(target, (port) => ports.some((entry) => entry.port === port.port));
    if (reached !== undefined) addService(chosen, reached, namespace, facts);
  }
}

function addService(chosen: Map<string, Service>, service: Service, namespace: string, facts: ScopeFacts): void {
  const other = chosen.get(service.hostname);
  if (other === undefined || (other.namespace !== namespace && service.namespace === namespace)) {
    chosen.set(service.hostname, service);
  } else if (other.key === service.key) {
    chosen.set(service.hostname, joinPorts(other, service, facts));
  }
}

function joinPorts(a: Service, b: Service, facts: ScopeFacts): Service {
  const numbers = new Set([...a.ports, ...b.ports].map((port) => port.port));
  const whole = facts.services.get(a.key) ?? a;
  return withPorts(whole, (port) => numbers.has(port.port)) ?? a;
}
