import type { ConfigObject } from "../config/config-object.ts";
import { isWildcard } from "../config/host-name.ts";
import type { WorkloadEntrySpec } from "../config/kinds/workload-entry.ts";
import type { Endpoint } from "./endpoint.ts";
import { mergeLabels } from "./labels.ts";
import { localityOfLabels, parseLocality, UNKNOWN_LOCALITY } from "./locality.ts";
import type { Service, ServicePort } from "./service.ts";
import { spiffeIdentity } from "./workload-endpoint.ts";
import { canonicalName, canonicalRevision, istioWorkload } from "./workload-names.ts";

/** Endpoints of a ServiceEntry without selector: those it lists, or for DNS its own host (§7.8). */
export function entryEndpoints(
  service: Service,
  config: ConfigObject<"ServiceEntry">,
  port: ServicePort,
  trustDomain: string,
): Endpoint[] {
  const { endpoints } = config.spec;
  const byDns = service.resolution === "dns-lb" || service.resolution === "dns-round-robin";
  if (endpoints.length === 0 && byDns && !isWildcard(service.hostname)) {
    return [inlineEndpoint(service.hostname, ITSELF, config, port, trustDomain)];
  }
  return endpoints
    .filter((entry) => entry.address !== "")
    .map((entry) => inlineEndpoint(entry.address, entry, config, port, trustDomain));
}

const ITSELF: WorkloadEntrySpec = Object.freeze({
  address: "",
  ports: {},
  labels: {},
  network: "",
  locality: "",
  weight: 0,
  serviceAccount: "",
});

function inlineEndpoint(
  address: string,
  entry: WorkloadEntrySpec,
  config: ConfigObject<"ServiceEntry">,
  port: ServicePort,
  trustDomain: string,
): Endpoint {
  const { namespace } = config;
  const labels = mergeLabels(entry.labels);
  const target = entry.ports[port.name] ?? (typeof port.targetPort === "number" ? port.targetPort : port.port);
  const inMesh = labels["security.istio.io/tlsMode"] === "istio" || entry.serviceAccount !== "";
  return Object.freeze<Endpoint>({
    address,
    port: address.startsWith("unix://") ? 0 : target,
    servicePortName: port.name,
    labels,
    locality: entry.locality === "" ? (localityOfLabels(labels) ?? UNKNOWN_LOCALITY) : parseLocality(entry.locality),
    weight: Math.max(entry.weight, 1),
    network: entry.network,
    clusterId: "",
    namespace,
    serviceAccount: entry.serviceAccount,
    identity: spiffeIdentity(trustDomain, namespace, entry.serviceAccount),
    health: "healthy",
    tlsMode: inMesh ? "istio" : "disabled",
    istioWorkload: istioWorkload({
      workloadName: "",
      namespace,
      canonicalName: canonicalName(labels, ""),
      canonicalRevision: canonicalRevision(labels),
      clusterId: "",
    }),
    instanceName: "",
    config,
  });
}
