import { create } from "@bufbuild/protobuf";
import { MetadataSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import { HealthStatus } from "@mixerless/wire/envoy/config/core/v3/health_check";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import {
  LbEndpointSchema,
  LocalityLbEndpointsSchema,
} from "@mixerless/wire/envoy/config/endpoint/v3/endpoint_components";
import { effectiveMtls } from "../model/effective-mtls.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Locality } from "../model/locality.ts";
import type { Service } from "../model/service.ts";
import { clusterPolicy } from "./clusters/cluster-policy.ts";
import { from, type Generated } from "./generated.ts";
import { type GeneratorInput, shared } from "./generator-input.ts";
import { distributedWeights, failoverRank, isDistributed, type LocalityLb, localityLb } from "./locality-lb.ts";
import { parseOutboundClusterName } from "./names.ts";
import { addressOf } from "./proto.ts";

/** Endpoints of the clusters asked for; a name that means nothing gets an empty assignment, so that nothing waits for it. */
export function endpointAssignments(
  input: GeneratorInput,
  names: Iterable<string>,
): Generated<ClusterLoadAssignment>[] {
  return [...names].map((name) => endpointAssignment(input, name));
}

function endpointAssignment(input: GeneratorInput, name: string): Generated<ClusterLoadAssignment> {
  const { push } = input;
  const parsed = parseOutboundClusterName(name);
  const service = parsed === null ? undefined : (serviceFor(input, parsed.host) ?? push.service(parsed.host));
  if (parsed === null || service === undefined) {
    return { name, message: create(ClusterLoadAssignmentSchema, { clusterName: name }), provenance: [] };
  }
  return shared(
    input,
    () => `eds ${name} ${service.key}`,
    () => serviceAssignment(input, name, service, parsed),
  );
}

function serviceAssignment(
  input: GeneratorInput,
  name: string,
  service: Service,
  parsed: { readonly port: number; readonly subset: string },
): Generated<ClusterLoadAssignment> {
  const { push, proxy } = input;
  const rule = push.destinationRule(proxy.namespace, push.labelsOf(proxy), service.hostname);
  const policy = clusterPolicy(rule, parsed.port, parsed.subset);
  const endpoints = push.endpoints(service.key, parsed.port, policy.subsetLabels);
  return {
    name,
    message: loadAssignment(
      name,
      endpoints,
      localityLb(policy, push.mesh, proxy.locality, push.labelsOf(proxy)),
      takesMeshTls(input),
    ),
    provenance: [...from(service.config), ...endpoints.flatMap((entry) => from(entry.config))],
  };
}

function serviceFor({ push, proxy }: GeneratorInput, host: string) {
  return proxy.type === "sidecar" ? push.sidecarScope(proxy).service(host) : push.service(host, proxy.namespace);
}

/** Whether an endpoint speaks the mesh's TLS: it has a sidecar with a certificate, and no policy switches TLS off for it. */
export type MeshTlsTest = (endpoint: Endpoint) => boolean;

export function takesMeshTls({ push, mutualTls }: GeneratorInput): MeshTlsTest {
  if (mutualTls !== true) return NEVER;
  return ({ tlsMode, namespace, labels, port }) =>
    tlsMode === "istio" && effectiveMtls(push, namespace, labels, port).mode !== "DISABLE";
}

const NEVER: MeshTlsTest = () => false;

interface LocalityGroup {
  readonly locality: Locality;
  readonly priority: number;
  readonly members: Endpoint[];
}

/** Endpoints grouped by locality, both in a fixed order, so that equal endpoints give equal bytes. */
export function loadAssignment(
  clusterName: string,
  endpoints: readonly Endpoint[],
  lb?: LocalityLb,
  meshTls: MeshTlsTest = NEVER,
): ClusterLoadAssignment {
  // Those that are not ready are left out rather than listed as unhealthy [control-plane §4.7].
  const healthy = endpoints.filter(({ health }) => health === "healthy");
  const groups = groupByLocality(healthy, lb);
  const sizes = new Map([...groups].map(([key, { locality, members }]) => [key, { locality, weight: sumOf(members) }]));
  const weights = lb === undefined ? undefined : distributedWeights(lb, sizes);
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: sorted.flatMap(([key, group]) => {
      // A locality that a distribution leaves out gets nothing.
      const weight = weights === undefined ? sumOf(group.members) : (weights.get(key) ?? 0);
      return weight === 0 && weights !== undefined ? [] : [localityEndpoints(group, weight, meshTls)];
    }),
  });
}

/** By priority and locality. A distribution knows no priorities. */
function groupByLocality(endpoints: readonly Endpoint[], lb: LocalityLb | undefined): Map<string, LocalityGroup> {
  const failover = lb !== undefined && !isDistributed(lb);
  const ranks = endpoints.map((endpoint) => (failover ? failoverRank(lb, endpoint) : 0));
  const priorities = [...new Set(ranks)].sort((a, b) => a - b);
  const groups = new Map<string, LocalityGroup>();
  for (const [index, endpoint] of endpoints.entries()) {
    const { region, zone, subzone } = endpoint.locality;
    const priority = priorities.indexOf(ranks[index] ?? 0);
    const key = `${String(priority).padStart(3, "0")} ${region}/${zone}/${subzone}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { locality: endpoint.locality, priority, members: [endpoint] });
    else group.members.push(endpoint);
  }
  return groups;
}

function sumOf(members: readonly Endpoint[]): number {
  return members.reduce((sum, endpoint) => sum + endpoint.weight, 0);
}

function localityEndpoints(
  { locality: { region, zone, subzone }, priority, members }: LocalityGroup,
  weight: number,
  meshTls: MeshTlsTest,
) {
  const sorted = [...members].sort((a, b) =>
    a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port,
  );
  return create(LocalityLbEndpointsSchema, {
    // gRPC clients refuse endpoints without a locality, even an unnamed one.
    locality: { region, zone, subZone: subzone },
    loadBalancingWeight: weight,
    priority,
    lbEndpoints: sorted.map((endpoint) =>
      create(LbEndpointSchema, {
        hostIdentifier: { case: "endpoint", value: { address: addressOf(endpoint.address, endpoint.port) } },
        healthStatus: HealthStatus.HEALTHY,
        loadBalancingWeight: endpoint.weight,
        metadata: create(MetadataSchema, {
          filterMetadata: {
            istio: { workload: endpoint.istioWorkload },
            ...(meshTls(endpoint) ? { "envoy.transport_socket_match": { tlsMode: "istio" } } : {}),
          },
        }),
      }),
    ),
  });
}
