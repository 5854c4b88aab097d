import { create } from "@bufbuild/protobuf";
import { type RouteConfiguration, RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import type { Route } from "@mixerless/wire/envoy/config/route/v3/route_components";
import { hostCovers } from "../../config/host-name.ts";
import { mostSpecific } from "../../model/most-specific.ts";
import type { Service } from "../../model/service.ts";
import type { SidecarScope } from "../../model/sidecar-scope.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import { from, fromPort, type Generated, type Provenance } from "../generated.ts";
import { type GeneratorInput, identityOf, shared } from "../generator-input.ts";
import { type OutboundPlan, planOutbound, routeName } from "../listeners/outbound-plan.ts";
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
    () => `plans ${identity}`,
    () => new Map(httpPlans(scope).map((plan) => [routeName(plan), plan])),
  );
  return [...names].map((name) =>
    shared(
      input,
      () => `rds ${name} ${identity}`,
      () => outboundRoute(input, name, plans.get(name)),
    ),
  );
}

function httpPlans(scope: SidecarScope): OutboundPlan[] {
  return planOutbound(scope).filter((plan) => plan.kind === "http");
}

function outboundRoute(
  input: GeneratorInput,
  name: string,
  plan: OutboundPlan | undefined,
): Generated<RouteConfiguration> {
  const scope = input.push.sidecarScope(input.proxy);
  const provenance: Provenance[] = [];
  const origins = new RouteOrigins();
  const hosts = new VirtualHosts((plan?.services ?? []).map((service) => service.hostname));
  if (plan !== undefined) {
    const around = surroundings(
      input,
      plan.port,
      (host) => scope.service(host) ?? input.push.service(host),
      false,
      origins,
    );
    const spoken = addVirtualServices(input, plan, around, hosts, provenance);
    for (const service of plan.services) {
      if (!spoken.has(service.hostname)) addService(input, plan, service, around, hosts, provenance);
    }
  }
  const fallback = catchAll(scope.outboundTrafficPolicy);
  const virtualHosts = hosts.sorted;
  const byAddress = plan === undefined ? undefined : addressHost(plan, virtualHosts, origins);
  const last = new VirtualHosts();
  last.add(fallback.name, "*", ["*"], [fallback.route]);
  const message = create(RouteConfigurationSchema, {
    name,
    virtualHosts: [...virtualHosts, ...(byAddress === undefined ? [] : [byAddress]), ...last.sorted],
    validateClusters: false,
    maxDirectResponseBodySizeBytes: 1024 * 1024,
    ignorePortInHostMatching: true,
  });
  const ofScope = from(scope.config, plan?.egress.path ?? "");
  return { name, message, provenance: [...provenance, ...ofScope], elements: origins.elementsOf(message) };
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
      const domains = serviceDomains(service, proxy.dnsDomain);
      hosts.add(`${service.hostname}:${plan.port}`, service.hostname, domains, routes);
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
  hosts.add(`${service.hostname}:${plan.port}`, service.hostname, serviceDomains(service, input.proxy.dnsDomain), [
    route,
  ]);
}
