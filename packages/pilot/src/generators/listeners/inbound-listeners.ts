import { create } from "@bufbuild/protobuf";
import { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { IngressListener, SidecarScope } from "../../model/sidecar-scope.ts";
import { servicesAt } from "../clusters/inbound-clusters.ts";
import { pluginProvenance } from "../extensions/plugin-filters.ts";
import { from, type Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { isHttp } from "../is-http.ts";
import { inboundClusterName } from "../names.ts";
import { socketAddress } from "../proto.ts";
import { inboundRoutes } from "../routes/inbound-routes.ts";
import { authorizationProvenance } from "../security/authorization-filters.ts";
import { telemetryProvenance } from "../telemetry-of.ts";
import { inboundMode } from "../tls/mesh-identity.ts";
import { endsTls, serverTls } from "../tls/server-tls.ts";
import { listenerAccessLogs } from "./access-logs.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import { type InboundFilters, inboundChains, ownTlsChain } from "./inbound-chains.ts";
import { tlsInspection } from "./listener-filters.ts";
import { filtersBeforeHttp, tcpFilters } from "./tcp-proxy.ts";

/** Without capture, inbound listeners come from the Sidecar's `ingress` and from nowhere else [control-plane §4.9]. */
export function inboundListeners(input: GeneratorInput, scope: SidecarScope): Generated<Listener>[] {
  return (scope.ingress ?? []).map((ingress) => inboundListener(input, scope, ingress));
}

function inboundListener(input: GeneratorInput, scope: SidecarScope, ingress: IngressListener): Generated<Listener> {
  const bind = ingress.bind === "" ? (input.proxy.ipAddresses[0] ?? "0.0.0.0") : ingress.bind;
  const { number } = ingress.port;
  const name = `${bind}_${number}`;
  const cluster = inboundClusterName(number);
  const services = servicesAt(input, ingress);
  const mtls = inboundMode(input, number);
  const place = { listenerClass: "inbound", port: number } as const;
  const filters: InboundFilters = {
    http: () => [
      ...filtersBeforeHttp(input, place),
      httpConnectionManager(input, {
        ...place,
        statPrefix: `inbound_${name};`,
        routes: { inline: inboundRoutes(cluster, number, services, ingress.protocol) },
      }),
    ],
    tcp: (mesh) =>
      tcpFilters(input, place, { statPrefix: cluster, clusters: [{ name: cluster, weight: 1 }], exchange: mesh }),
  };
  // The mesh's TLS goes before one that the Sidecar asks for, as upstream.
  const own = mtls.mode === "DISABLE" && endsTls(ingress.tls) ? ingress.tls : undefined;
  const filterChains =
    own === undefined
      ? inboundChains(name, ingress.protocol, mtls.mode, input, filters)
      : [ownTlsChain(name, ingress.protocol, serverTls(input, own, ingress.protocol === "HTTPS"), filters)];
  const message = create(ListenerSchema, {
    name,
    address: socketAddress(bind, number),
    trafficDirection: TrafficDirection.INBOUND,
    ...(mtls.mode === "DISABLE" && own === undefined ? {} : tlsInspection(input.push.mesh)),
    filterChains,
    accessLog: listenerAccessLogs(input, "inbound"),
  });
  return {
    name,
    message,
    provenance: [
      ...from(scope.config, ingress.path),
      ...services.flatMap((target) => from(target.service.config)),
      ...from(mtls.config, mtls.path),
      ...authorizationProvenance(input),
      ...telemetryProvenance(input),
      ...(isHttp(ingress.protocol) || ingress.protocol === "auto" ? pluginProvenance(input, place, "http") : []),
      ...pluginProvenance(input, place, "network"),
    ],
  };
}
