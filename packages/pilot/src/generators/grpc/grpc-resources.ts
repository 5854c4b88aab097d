import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { type RouteConfiguration, RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { RouterSchema } from "@mixerless/wire/envoy/extensions/filters/http/router/v3/router";
import { HttpConnectionManagerSchema } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import type { Service } from "../../model/service.ts";
import { outboundClusters } from "../clusters/outbound-clusters.ts";
import { from, type Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { outboundClusterName, parseOutboundClusterName } from "../names.ts";
import { duration, typed } from "../proto.ts";
import { defaultRoute } from "../routes/http-route.ts";
import { surroundings } from "../routes/surroundings.ts";
import { VirtualHosts } from "../routes/virtual-host.ts";
import { virtualServiceRoutes } from "../routes/virtual-service-routes.ts";

const MESH: ReadonlySet<string> = new Set(["mesh"]);

/** A gRPC client that resolves `xds:///host:port` by itself says so in its node, as for istiod. */
export function isGrpcClient({ proxy }: GeneratorInput): boolean {
  return proxy.metadata.GENERATOR === "grpc";
}

/** For each `host:port` asked for, a listener without an address whose routes follow. Unknown names get nothing. */
export function grpcListeners(input: GeneratorInput, names: Iterable<string>): Generated<Listener>[] {
  return [...names].flatMap((name) => {
    const target = targetOf(input, name);
    if (target === undefined) return [];
    const manager = typed(HttpConnectionManagerSchema, {
      routeSpecifier: {
        case: "rds",
        value: {
          routeConfigName: outboundClusterName(target.service.hostname, target.port),
          configSource: { configSourceSpecifier: { case: "ads", value: {} }, resourceApiVersion: 2 },
        },
      },
      httpFilters: [
        { name: "envoy.filters.http.router", configType: { case: "typedConfig", value: typed(RouterSchema, {}) } },
      ],
    });
    const message = create(ListenerSchema, { name, apiListener: { apiListener: manager } });
    return [{ name, message, provenance: from(target.service.config) }];
  });
}

/** The routes of a service port: those of its VirtualService, else everything to its cluster. */
export function grpcRoutes(input: GeneratorInput, names: Iterable<string>): Generated<RouteConfiguration>[] {
  return [...names].flatMap((name) => {
    const parsed = parseOutboundClusterName(name);
    const service = parsed === null ? undefined : visible(input, parsed.host);
    if (parsed === null || service === undefined) return [];
    const { proxy, push } = input;
    const scope = push.sidecarScope(proxy);
    const around = surroundings(input, parsed.port, (host) => scope.service(host) ?? push.service(host));
    const spoken = scope.egress
      .flatMap((egress) => egress.virtualServices)
      .find((virtualService) => virtualService.hosts.includes(service.hostname));
    const context = { proxy, push, gateways: MESH, port: parsed.port };
    const target = { host: service.hostname, port: parsed.port };
    const own = spoken === undefined ? [] : virtualServiceRoutes(spoken, context, around);
    const hosts = new VirtualHosts();
    // A gRPC client looks for the whole text behind xds:///, and knows no retries beyond its own.
    hosts.add(
      `${target.host}:${target.port}`,
      target.host,
      [`${target.host}:${target.port}`, target.host, "*"],
      own.length > 0 ? own : [defaultRoute(name, `${target.host}:${target.port}/*`, around, target)],
    );
    const message = create(RouteConfigurationSchema, { name, virtualHosts: hosts.sorted });
    return [{ name, message, provenance: [...from(spoken?.config), ...from(service.config)] }];
  });
}

/** The clusters asked for, with what every gRPC client can do: endpoints from here, in turn. */
export function grpcClusters(input: GeneratorInput, names: Iterable<string>): Generated<Cluster>[] {
  const wanted = new Set(names);
  const services = [...wanted].flatMap((name) => visible(input, parseOutboundClusterName(name)?.host ?? "") ?? []);
  return outboundClusters(input, [...new Set(services)])
    .filter(({ name, message }) => wanted.has(name) && message.clusterDiscoveryType.value === Cluster_DiscoveryType.EDS)
    .map(({ name, message, provenance }) => {
      const { clusterDiscoveryType, edsClusterConfig, metadata } = message;
      const lbPolicy = Cluster_LbPolicy.ROUND_ROBIN;
      const plain = create(ClusterSchema, {
        ...{ name, clusterDiscoveryType, lbPolicy, connectTimeout: duration(input.push.mesh.connectTimeout) },
        ...(edsClusterConfig === undefined ? {} : { edsClusterConfig }),
        ...(metadata === undefined ? {} : { metadata }),
      });
      return { name, message: plain, provenance };
    });
}

function targetOf(input: GeneratorInput, name: string): { service: Service; port: number } | undefined {
  const colon = name.lastIndexOf(":");
  const port = Number(name.slice(colon + 1));
  const service = colon < 0 ? undefined : visible(input, name.slice(0, colon));
  return service?.ports.some((entry) => entry.port === port) ? { service, port } : undefined;
}

/** By its full name, or by the short ones of the client's own namespace. */
function visible({ push, proxy }: GeneratorInput, host: string): Service | undefined {
  const scope = push.sidecarScope(proxy);
  const full = [host, `${host}.${proxy.dnsDomain}`, `${host}.svc.${proxy.dnsDomain.split(".svc.")[1] ?? ""}`];
  return full.map((name) => scope.service(name)).find((service) => service !== undefined);
}
