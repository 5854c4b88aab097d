import { create } from "@bufbuild/protobuf";
import { type RouteConfiguration, RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import type { Route, VirtualHost } from "@mixerless/wire/envoy/config/route/v3/route_components";
import { hostCovers } from "../../config/host-name.ts";
import { aliasTarget } from "../../model/alias-target.ts";
import { mostSpecific } from "../../model/most-specific.ts";
import type { Service } from "../../model/service.ts";
import type { SidecarScope } from "../../model/sidecar-scope.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import { from, fromPort, type Generated, type Provenance } from "../generated.ts";
import { type GeneratorInput, httpProxyPort, identityOf, shared } from "../generator-input.ts";
import { isHttp } from "../is-http.ts";
import { type OutboundPlan, planOutbound } from "../listeners/outbound-plan.ts";
import { outboundClusterName } from "../names.ts";
import { addressHost } from "./address-host.ts";
import { catchAll } from "./catch-all.ts";
import { domainsOf, serviceDomains } from "./domains.ts";
import { defaultRoute, type RouteSurroundings } from "./http-route.ts";
import { RouteOrigins } from "./route-origins.ts";
import { surroundings } from "./surroundings.ts";
import { VirtualHosts } from "./virtual-host.ts";
import { virtualServiceRoutes } from "./virtual-service-routes.ts";

const MESH: ReadonlySet<string> = new Set(["mesh"]);

/** The route configurations asked for; an unknown name gets the catch-all alone, so that nothing waits for it. */
export function outboundRoutes(input: GeneratorInput, names: Iterable<string>): Generated<RouteConfiguration>[] {
  const scope = input.push.sidecarScope(input.proxy);
  const identity = identityOf(input, scope);
  const plans = shared(
    input,
    () => `plans ${identity} ${httpProxyPort(input)}`,
    () => new Map(httpPlans(input, scope).map((plan) => [plan.routeName, plan])),
  );
  return [...names].map((name) =>
    shared(
      input,
      () => `rds ${name} ${identity} ${httpProxyPort(input)}`,
      () => outboundRoute(input, name, plans.get(name)),
    ),
  );
}

function httpPlans(input: GeneratorInput, scope: SidecarScope): OutboundPlan[] {
  return planOutbound(scope, httpProxyPort(input)).filter((plan) => plan.kind === "http");
}

function outboundRoute(
  input: GeneratorInput,
  name: string,
  plan: OutboundPlan | undefined,
): Generated<RouteConfiguration> {
  const scope = input.push.sidecarScope(input.proxy);
  const provenance: Provenance[] = [];
  const origins = new RouteOrigins();
  const fallback = catchAll(scope.outboundTrafficPolicy);
  const virtualHosts =
    plan === undefined
      ? []
      : plan.everyPort
        ? hostsOfEveryPort(input, plan, origins, provenance)
        : hostsOf(input, plan, origins, provenance);
  const byAddress = plan === undefined ? undefined : addressHost(plan, virtualHosts, origins);
  const last = new VirtualHosts();
  last.add(fallback.name, "*", ["*"], [fallback.route]);
  const message = create(RouteConfigurationSchema, {
    name,
    virtualHosts: [...virtualHosts, ...(byAddress === undefined ? [] : [byAddress]), ...last.sorted],
    validateClusters: false,
    maxDirectResponseBodySizeBytes: 1024 * 1024,
    ignorePortInHostMatching: plan?.everyPort !== true,
  });
  const ofScope = from(scope.config, plan?.egress.path ?? "");
  return { name, message, provenance: [...provenance, ...ofScope], elements: origins.elementsOf(message) };
}

function hostsOf(
  input: GeneratorInput,
  plan: OutboundPlan,
  origins: RouteOrigins,
  provenance: Provenance[],
): VirtualHost[] {
  const scope = input.push.sidecarScope(input.proxy);
  const hosts = new VirtualHosts(plan.services.map((service) => service.hostname));
  const find = (host: string) => scope.service(host) ?? input.push.service(host);
  const around = surroundings(input, plan.port, find, false, origins);
  const spoken = addVirtualServices(input, plan, around, hosts, provenance);
  for (const service of plan.services) {
    if (!spoken.has(service.hostname)) addService(input, plan, service, around, hosts, provenance);
  }
  return hosts.sorted;
}

/** The hosts of each port by name and port; those of port 80 also by name alone, as clients write them. */
function hostsOfEveryPort(
  input: GeneratorInput,
  plan: OutboundPlan,
  origins: RouteOrigins,
  provenance: Provenance[],
): VirtualHost[] {
  const serves = ({ ports }: Service, port: number) =>
    ports.some((entry) => entry.port === port && isHttp(entry.protocol));
  const ports = new Set(plan.services.flatMap((service) => service.ports.map((entry) => entry.port)));
  const hosts = [...ports].flatMap((port) => {
    const services = plan.services.filter((service) => serves(service, port));
    const ofPort = services.length === 0 ? [] : hostsOf(input, { ...plan, port, services }, origins, provenance);
    for (const host of ofPort) {
      host.domains = host.domains.flatMap((domain) => [...(port === 80 ? [domain] : []), `${domain}:${port}`]);
    }
    return ofPort;
  });
  return hosts.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Virtual hosts of the VirtualServices; answers the services that they speak for. */
function addVirtualServices(
  input: GeneratorInput,
  plan: OutboundPlan,
  around: RouteSurroundings,
  hosts: VirtualHosts,
  provenance: Provenance[],
): Set<string> {
  const { proxy, push } = input;
  const spoken = new Set<string>();
  const candidates = plan.egress.virtualServices.flatMap((virtualService) => {
    const routes = virtualServiceRoutes(virtualService, { proxy, push, gateways: MESH, port: plan.port }, around);
    return routes.length === 0 ? [] : [{ virtualService, hosts: virtualService.hosts, routes }];
  });
  const owners = new Map(plan.services.map((service) => [service, mostSpecific(candidates, service.hostname)]));
  for (const candidate of candidates) {
    const { virtualService, routes } = candidate;
    const covered = plan.services.filter((service) => owners.get(service) === candidate);
    if (!appliesAt(virtualService, plan)) continue;
    provenance.push(...from(virtualService.config));
    for (const host of virtualService.hosts) addHost(input, plan, host, routes, hosts);
    for (const service of covered) {
      spoken.add(service.hostname);
      hosts.add(`${service.hostname}:${plan.port}`, service.hostname, allDomains(input, plan, service), routes);
    }
  }
  return spoken;
}

/** A host that is no service of the registry is served on the ports of the services named beside it, else on 80. */
function appliesAt(virtualService: ResolvedVirtualService, plan: OutboundPlan): boolean {
  const names = (service: Service) => virtualService.hosts.some((host) => hostCovers(host, service.hostname));
  if (plan.services.some(names)) return true;
  return !plan.egress.services.some(names) && plan.port === 80;
}

function addHost(
  input: GeneratorInput,
  plan: OutboundPlan,
  host: string,
  routes: readonly Route[],
  hosts: VirtualHosts,
): void {
  if (plan.services.some((service) => service.hostname === host)) return;
  const domains = host.startsWith("*") ? [host] : domainsOf(host, input.proxy.dnsDomain).slice(0, 1);
  hosts.add(`${host}:${plan.port}`, host, domains, routes);
}

function addService(
  input: GeneratorInput,
  plan: OutboundPlan,
  service: Service,
  around: RouteSurroundings,
  hosts: VirtualHosts,
  provenance: Provenance[],
): void {
  const target = { host: service.hostname, port: plan.port };
  const cluster = outboundClusterName(service.hostname, plan.port);
  const route = defaultRoute(cluster, `${service.hostname}:${plan.port}/*`, around, target);
  const origin = fromPort(service, plan.port);
  for (const entry of origin) around.origins.note(route, entry);
  provenance.push(...origin);
  hosts.add(`${service.hostname}:${plan.port}`, service.hostname, allDomains(input, plan, service), [route]);
}

/** Those of the service, then those of the names that stand for it (ExternalName) [control-plane §4.4]. */
function allDomains({ proxy, push }: GeneratorInput, { egress }: OutboundPlan, service: Service): string[] {
  const scope = push.sidecarScope(proxy);
  const find = (host: string) => scope.service(host) ?? push.service(host);
  const standIns = egress.services.filter(
    (entry) => entry.resolution === "alias" && aliasTarget(entry.hostname, find) === service.hostname,
  );
  return [service, ...standIns].flatMap((entry) => serviceDomains(entry, proxy.dnsDomain, proxy.ipAddresses));
}
