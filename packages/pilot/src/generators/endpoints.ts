import { create } from "@bufbuild/protobuf";
import { HealthStatus } from "@mixerless/wire/envoy/config/core/v3/health_check";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import {
  LbEndpointSchema,
  LocalityLbEndpointsSchema,
} from "@mixerless/wire/envoy/config/endpoint/v3/endpoint_components";
import type { Endpoint } from "../model/endpoint.ts";
import { clusterPolicy } from "./clusters/cluster-policy.ts";
import { from, type Generated } from "./generated.ts";
import type { GeneratorInput } from "./generator-input.ts";
import { parseOutboundClusterName } from "./names.ts";
import { istioMetadata, socketAddress } from "./proto.ts";

/** Endpoints of the clusters asked for; a name that means nothing gets an empty assignment, so that nothing waits for it. */
export function endpointAssignments(
  input: GeneratorInput,
  names: Iterable<string>,
): Generated<ClusterLoadAssignment>[] {
  return [...names].map((name) => endpointAssignment(input, name));
}

function endpointAssignment(input: GeneratorInput, name: string): Generated<ClusterLoadAssignment> {
  const { push, proxy } = input;
  const parsed = parseOutboundClusterName(name);
  const service = parsed === null ? undefined : (serviceFor(input, parsed.host) ?? push.service(parsed.host));
  if (parsed === null || service === undefined) {
    return { name, message: create(ClusterLoadAssignmentSchema, { clusterName: name }), provenance: [] };
  }
  const rule = push.destinationRule(proxy.namespace, push.labelsOf(proxy), service.hostname);
  const { subsetLabels } = clusterPolicy(rule, parsed.port, parsed.subset);
  const endpoints = push.endpoints(service.key, parsed.port, subsetLabels);
  return {
    name,
    message: loadAssignment(name, endpoints),
    provenance: [...from(service.config), ...endpoints.flatMap((entry) => from(entry.config))],
  };
}

function serviceFor({ push, proxy }: GeneratorInput, host: string) {
  return proxy.type === "sidecar" ? push.sidecarScope(proxy).service(host) : push.service(host, proxy.namespace);
}

/** Endpoints grouped by locality, both in a fixed order, so that equal endpoints give equal bytes. */
export function loadAssignment(clusterName: string, endpoints: readonly Endpoint[]): ClusterLoadAssignment {
  const groups = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    // Those that are not ready are left out rather than listed as unhealthy [control-plane §4.7].
    if (endpoint.health !== "healthy") continue;
    const { region, zone, subzone } = endpoint.locality;
    const key = `${region}/${zone}/${subzone}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [endpoint]);
    else group.push(endpoint);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: sorted.map(([, members]) => localityEndpoints(members)),
  });
}

function localityEndpoints(members: readonly Endpoint[]) {
  const { region = "", zone = "", subzone = "" } = members[0]?.locality ?? {};
  const sorted = [...members].sort((a, b) =>
    a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port,
  );
  return create(LocalityLbEndpointsSchema, {
    ...(region === "" ? {} : { locality: { region, zone, subZone: subzone } }),
    loadBalancingWeight: members.reduce((sum, endpoint) => sum + endpoint.weight, 0),
    lbEndpoints: sorted.map((endpoint) =>
      create(LbEndpointSchema, {
        hostIdentifier: { case: "endpoint", value: { address: socketAddress(endpoint.address, endpoint.port) } },
        healthStatus: HealthStatus.HEALTHY,
        loadBalancingWeight: endpoint.weight,
        metadata: istioMetadata({ workload: endpoint.istioWorkload }),
      }),
    ),
  });
}
