import { create, type JsonObject } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  ClusterSchema,
} from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { ClientTlsSettings } from "../../config/kinds/destination-rule.ts";
import type { MergedDestinationRule } from "../../model/destination-rule.ts";
import type { Service, ServicePort } from "../../model/service.ts";
import { configReference } from "../config-reference.ts";
import { applyDynamicDiscovery, isDynamic, leaveChoiceToCluster } from "../dynamic-dns.ts";
import { loadAssignment, takesMeshTls } from "../endpoints.ts";
import { fromPort, type Generated, type Provenance } from "../generated.ts";
import { type GeneratorInput, shared } from "../generator-input.ts";
import { type LocalityLb, localityLb } from "../locality-lb.ts";
import { outboundClusterName } from "../names.ts";
import { duration, istioMetadata } from "../proto.ts";
import { applyUpstreamTls } from "../tls/upstream-tls.ts";
import { clusterPolicy } from "./cluster-policy.ts";
import { hasHttp2 } from "./protocol-options.ts";
import { applyPolicy } from "./traffic-policy.ts";

/** The clusters of every port of the services: the default one and one for each subset [control-plane §4.7]. */
export function outboundClusters(input: GeneratorInput, services: readonly Service[]): Generated<Cluster>[] {
  const clusters: Generated<Cluster>[] = [];
  for (const service of services) {
    const rule = destinationRule(input, service);
    for (const port of service.ports) {
      if (port.protocol === "UDP") continue;
      for (const subset of ["", ...(rule?.subsets ?? []).map((entry) => entry.name)]) {
        const cluster = shared(
          input,
          () => `cds ${service.key} ${port.port} ${subset}`,
          () => outboundCluster(input, service, port, subset, rule) ?? null,
        );
        if (cluster !== null) clusters.push(cluster);
      }
    }
  }
  return clusters;
}

function destinationRule(input: GeneratorInput, service: Service): MergedDestinationRule | undefined {
  const { push, proxy } = input;
  return push.destinationRule(proxy.namespace, push.labelsOf(proxy), service.hostname);
}

function outboundCluster(
  input: GeneratorInput,
  service: Service,
  port: ServicePort,
  subset: string,
  rule: MergedDestinationRule | undefined,
): Generated<Cluster> | undefined {
  const name = outboundClusterName(service.hostname, port.port, subset);
  const policy = clusterPolicy(rule, port.port, subset);
  const cluster = create(ClusterSchema, { name, altStatName: `${name};` });
  const { push, proxy } = input;
  const lb = localityLb(policy, push.mesh, proxy.locality, push.labelsOf(proxy));
  if (!applyDiscovery(input, cluster, service, port, policy.subsetLabels, lb)) return undefined;
  const upstream = { protocol: port.protocol, mesh: push.mesh, mayUpgrade: true, hasHttp2: hasHttp2(proxy) };
  applyPolicy(cluster, policy, upstream, lb !== undefined);
  if (isDynamic(input, service)) leaveChoiceToCluster(cluster);
  applyUpstreamTls(cluster, input, { service, port, subset }, policy.tls);
  cluster.metadata = istioMetadata(clusterMetadata(service, port, subset, rule, policy.tls));
  const provenance = [...fromPort(service, port.port), ...fromRule(rule, subset)];
  return { name, message: cluster, provenance };
}

/** For a subset its entry in whichever of the merged rules defines it, then the rules as a whole. */
function fromRule(rule: MergedDestinationRule | undefined, subset: string): readonly Provenance[] {
  const configs = rule?.configs ?? [];
  const whole = configs.map((config) => ({ config, path: "spec" }));
  if (subset === "") return whole;
  for (const config of configs) {
    const index = config.spec.subsets.findIndex(({ name }) => name === subset);
    if (index >= 0) return [{ config, path: `spec.subsets[${index}]` }, ...whole];
  }
  return whole;
}

/** False when the cluster could have no endpoint by any means, and is therefore left out. */
function applyDiscovery(
  input: GeneratorInput,
  cluster: Cluster,
  service: Service,
  port: ServicePort,
  subset: Readonly<Record<string, string>>,
  lb: LocalityLb | undefined,
): boolean {
  switch (service.resolution) {
    case "alias":
      return false;
    case "dynamic-dns":
      if (!isDynamic(input, service)) return false;
      applyDynamicDiscovery(cluster, input);
      return true;
    case "dns-lb":
    case "dns-round-robin": {
      const type =
        service.resolution === "dns-lb" ? Cluster_DiscoveryType.STRICT_DNS : Cluster_DiscoveryType.LOGICAL_DNS;
      const endpoints = input.push.endpoints(service.key, port.port, subset);
      const assignment = loadAssignment(cluster.name, endpoints, lb, takesMeshTls(input));
      if (assignment.endpoints.length === 0) return false;
      cluster.clusterDiscoveryType = { case: "type", value: type };
      cluster.loadAssignment = assignment;
      cluster.dnsLookupFamily = Cluster_DnsLookupFamily.V4_ONLY;
      cluster.dnsRefreshRate = duration(input.push.mesh.dnsRefreshRate);
      cluster.respectDnsTtl = true;
      return true;
    }
    default: {
      // A headless or NONE service means the original destination, which is not known without capture; its endpoints are.
      cluster.clusterDiscoveryType = { case: "type", value: Cluster_DiscoveryType.EDS };
      cluster.edsClusterConfig = edsFromAds(cluster.name);
      return true;
    }
  }
}

function edsFromAds(serviceName: string): NonNullable<Cluster["edsClusterConfig"]> {
  const made = create(ClusterSchema, {
    edsClusterConfig: {
      serviceName,
      edsConfig: {
        configSourceSpecifier: { case: "ads", value: {} },
        initialFetchTimeout: duration(0),
        resourceApiVersion: 2,
      },
    },
  });
  return made.edsClusterConfig as NonNullable<Cluster["edsClusterConfig"]>;
}

function clusterMetadata(
  service: Service,
  port: ServicePort,
  subset: string,
  rule: MergedDestinationRule | undefined,
  tls: ClientTlsSettings | undefined,
): JsonObject {
  const [config] = rule?.configs ?? [];
  return {
    services: [{ host: service.hostname, name: service.name, namespace: service.namespace }],
    default_original_port: port.port,
    ...(config === undefined ? {} : { config: configReference(config) }),
    ...(subset === "" ? {} : { subset }),
    // Who ends this TLS is not of the mesh: nothing may put the mesh's names into the offer.
    ...(tls?.mode === "SIMPLE" || tls?.mode === "MUTUAL" ? { alpn_override: "false" } : {}),
    ...(service.meshExternal ? { external: true } : {}),
  };
}
