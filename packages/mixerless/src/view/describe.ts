import type { RegistryService } from "../mesh/pilot-client.ts";
import type { ProxyPlace } from "../mesh/proxies.ts";
import { type ConfigDump, configName } from "./config-dump.ts";
import { at, entriesAt, listAt, textAt } from "./json.ts";

/** What the control plane knows: `/debug/registryz` and `/debug/configz`. */
export interface MeshFacts {
  readonly registry: readonly RegistryService[];
  readonly objects: readonly unknown[];
}

type Labels = Readonly<Record<string, string>>;

/** istioctl's `x describe pod`, for any workload. */
export function describeWorkload(facts: MeshFacts, place: ProxyPlace, dump: ConfigDump): string {
  const lines = [`Workload: ${place.key}`, `   Proxy: ${place.type}, connected since ${place.connectedAt}`];
  lines.push(`   Labels: ${labelText(place.labels) || "none"}`);
  const inbound = dump.listeners.filter((listener) => textAt(listener, "traffic_direction") === "INBOUND");
  const ports = inbound.map((listener) => textAt(listener, "address", "socket_address", "port_value"));
  lines.push(`   Ports: ${ports.join(", ") || "none"}`);
  for (const sidecar of objectsOf(facts, "Sidecar")) {
    const selector = textMap(sidecar, "spec", "workloadSelector", "labels");
    if (namespaceOf(sidecar) !== place.namespace || !selects(selector, place.labels)) continue;
    lines.push(`Sidecar: ${nameOf(sidecar)}.${namespaceOf(sidecar)}`);
  }
  const services = facts.registry.filter((service) =>
    service.ports.some((port) => port.endpoints.some((endpoint) => isOf(endpoint.workload, place))),
  );
  if (services.length === 0 && place.type !== "router")
    lines.push("WARNING: no Service selects this workload, so nobody can call it by a name.");
  for (const service of services) lines.push("--------------------", ...serviceLines(facts, service, place.labels));
  lines.push(...staleLines(facts, dump));
  return `${lines.join("\n")}\n`;
}

/** istioctl's `x describe service`; null when there is no such service. */
export function describeService(facts: MeshFacts, wanted: string, namespace: string | undefined): string | null {
  const [name = "", of = namespace] = wanted.split(".");
  const found = facts.registry.filter(
    (service) =>
      service.hostname === wanted ||
      (service.hostname.split(".")[0] === name && (of === undefined || service.namespace === of)),
  );
  if (found.length === 0) return null;
  return `${found.map((service) => serviceLines(facts, service, null).join("\n")).join("\n--------------------\n")}\n`;
}

function serviceLines(facts: MeshFacts, service: RegistryService, labels: Labels | null): string[] {
  const lines = [`Service: ${shortName(service)}.${service.namespace}`, `   From: ${service.source}`];
  for (const { name, port, protocol, endpoints } of service.ports) {
    const targets = endpoints.map(({ address, health }) => (health === "healthy" ? address : `${address} (${health})`));
    lines.push(`   Port: ${name || "unnamed"} ${port}/${protocol} targets ${targets.join(", ") || "nothing"}`);
  }
  for (const rule of objectsOf(facts, "DestinationRule"))
    if (isFor(rule, textAt(rule, "spec", "host"), service)) lines.push(...ruleLines(rule, labels));
  for (const virtual of objectsOf(facts, "VirtualService")) lines.push(...routeLines(virtual, service));
  return lines;
}

function ruleLines(rule: unknown, labels: Labels | null): string[] {
  const lines = [`DestinationRule: ${nameOf(rule)} for "${textAt(rule, "spec", "host")}"`];
  const subsets = listAt(rule, "spec", "subsets");
  const names = (matching: boolean) =>
    subsets
      .filter((subset) => labels === null || selects(textMap(subset, "labels"), labels) === matching)
      .map((subset) => textAt(subset, "name"));
  if (labels === null) {
    if (subsets.length > 0) lines.push(`   Subsets: ${names(true).join(",")}`);
  } else if (subsets.length > 0) {
    const [fitting, others] = [names(true), names(false)];
    if (fitting.length > 0) lines.push(`   Matching subsets: ${fitting.join(",")}`);
    if (fitting.length > 0 && others.length > 0) lines.push(`      (Non-matching subsets ${others.join(",")})`);
    if (fitting.length === 0)
      lines.push(`   WARNING POD DOES NOT MATCH ANY SUBSETS. (Non matching subsets ${others.join(",")})`);
  }
  const policy = at(rule, "spec", "trafficPolicy");
  lines.push(
    policy === undefined ? "   No Traffic Policy" : `   Traffic Policy: ${Object.keys(policy as object).join(", ")}`,
  );
  return lines;
}

/** The routes of a VirtualService that lead to the service, or that stand for it. */
function routeLines(virtual: unknown, service: RegistryService): string[] {
  const lines: string[] = [];
  for (const protocol of ["http", "tls", "tcp"]) {
    listAt(virtual, "spec", protocol).forEach((route, index) => {
      const destinations = listAt(route, "route");
      const own = listAt(virtual, "spec", "hosts").some((host) => isFor(virtual, String(host), service));
      const reached = destinations.filter((entry) => isFor(virtual, textAt(entry, "destination", "host"), service));
      if (!own && reached.length === 0) return;
      lines.push(`   ${protocol.toUpperCase()} route ${textAt(route, "name") || index + 1}: ${matchText(route)}`);
      for (const entry of destinations) lines.push(`      ${destinationText(entry, destinations.length)}`);
      for (const action of ["redirect", "directResponse", "fault", "mirror", "delegate"])
        if (at(route, action) !== undefined) lines.push(`      ${action}`);
    });
  }
  if (lines.length === 0) return [];
  const gateways = listAt(virtual, "spec", "gateways").filter((gateway) => gateway !== "mesh");
  const exposed = gateways.length > 0 ? [`   Exposed on gateways: ${gateways.join(", ")}`] : [];
  return [`VirtualService: ${nameOf(virtual)}.${namespaceOf(virtual)}`, ...exposed, ...lines];
}

function destinationText(entry: unknown, count: number): string {
  const host = textAt(entry, "destination", "host");
  const subset = textAt(entry, "destination", "subset");
  const weight = textAt(entry, "weight") || (count === 1 ? "100" : "0");
  return `Route to host "${host}"${subset === "" ? "" : ` subset "${subset}"`} with weight ${weight}%`;
}

function matchText(route: unknown): string {
  const matches = listAt(route, "match");
  return matches.length === 0 ? "all requests" : `match ${matches.map((match) => JSON.stringify(match)).join(" or ")}`;
}

/** Objects that the proxy's configuration names and that are gone. */
function staleLines(facts: MeshFacts, dump: ConfigDump): string[] {
  const present = new Set(facts.objects.map((object) => `${nameOf(object)}.${namespaceOf(object)}`));
  const named = [
    ...dump.clusters,
    ...dump.routes.flatMap((config) => listAt(config, "virtual_hosts").flatMap((host) => listAt(host, "routes"))),
  ]
    .map(configName)
    .filter((name) => name !== "" && !present.has(name));
  return [...new Set(named)].map((name) => `WARNING: Proxy is stale; it still uses ${name}, which is gone.`);
}

function isFor(object: unknown, host: string, service: RegistryService): boolean {
  if (host === "*" || host === service.hostname) return host !== "*";
  if (host.startsWith("*.")) return service.hostname.endsWith(host.slice(1));
  const [name = "", namespace = namespaceOf(object)] = host.split(".");
  return host.split(".").length <= 2 && name === shortName(service) && namespace === service.namespace;
}

function isOf(workload: string, place: ProxyPlace): boolean {
  const [name, namespace] = workload.split(";");
  return (name === place.workload || name === place.name) && namespace === place.namespace;
}

function shortName({ hostname }: RegistryService): string {
  return hostname.split(".")[0] ?? hostname;
}

function objectsOf({ objects }: MeshFacts, kind: string): unknown[] {
  return objects.filter((object) => textAt(object, "kind") === kind);
}

function nameOf(object: unknown): string {
  return textAt(object, "metadata", "name");
}

function namespaceOf(object: unknown): string {
  return textAt(object, "metadata", "namespace") || "default";
}

function textMap(object: unknown, ...path: string[]): Labels {
  return Object.fromEntries(entriesAt(object, ...path).map(([key, value]) => [key, String(value)]));
}

function selects(selector: Labels, labels: Labels): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
