import { isTcp } from "../generators/is-http.ts";
import { outboundClusterName } from "../generators/names.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";
import { resolveHost } from "../model/resolve-name.ts";
import type { Service } from "../model/service.ts";
import type { SidecarScope } from "../model/sidecar-scope.ts";

/** Oddities of one revision: gauges that are set anew with every push [control-plane §5.10], with what each counts. */
export const PUSH_STATUS = {
  pilot_conflict_inbound_listener: "Inbound ports of a workload that services claim with different protocols.",
  pilot_conflict_outbound_listener_tcp_over_current_tcp:
    "TCP services whose port another TCP service of the same listener has.",
  pilot_duplicate_envoy_clusters: "Clusters that two services of one name would have.",
  pilot_dns_cluster_without_endpoints: "Clusters left out, because nothing could be looked up for them.",
  pilot_eds_no_instances: "Clusters without an endpoint.",
  pilot_vservice_dup_domain: "Hosts of VirtualServices that an older one has.",
  pilot_destrule_subsets: "Subsets that several DestinationRules of one host define.",
  pilot_no_ip: "Pods without an address.",
  pilot_endpoint_not_ready: "Endpoints of slices that are not ready.",
  endpoint_no_pod: "Endpoints of slices whose Pod is not known.",
} as const;

export type PushStatusName = keyof typeof PUSH_STATUS;

/** What the oddities are about, each once. */
export type PushStatus = Readonly<Record<PushStatusName, ReadonlySet<string>>>;

/** Looks through a revision, and through what the connected proxies see of it. */
export function pushStatus(push: PushContext, proxies: Iterable<ProxyNode>): PushStatus {
  const names = Object.keys(PUSH_STATUS) as PushStatusName[];
  const status = Object.fromEntries(names.map((name) => [name, new Set<string>()])) as Record<
    PushStatusName,
    Set<string>
  >;
  for (const service of push.services) addClusters(push, service, status);
  addDuplicates(push.services, status);
  addSubsets(push, status);
  addEndpointsAndPods(push, status);
  const scopes = new Set<SidecarScope>();
  for (const proxy of proxies) {
    addInbound(push, proxy, status);
    if (proxy.type === "sidecar") scopes.add(push.sidecarScope(proxy));
  }
  for (const scope of scopes) addOutbound(scope, status);
  return status;
}

type Status = Readonly<Record<PushStatusName, Set<string>>>;

function addClusters(push: PushContext, service: Service, status: Status): void {
  const rule = push.destinationRule(service.namespace, {}, service.hostname);
  const subsets = [{ name: "", labels: {} }, ...(rule?.subsets ?? [])];
  for (const { port } of service.ports) {
    for (const { name, labels } of subsets) {
      const endpoints = push.endpoints(service.key, port, labels);
      const cluster = `${outboundClusterName(service.hostname, port, name)} ${service.namespace}`;
      if (endpoints.length > 0) continue;
      if (service.resolution.startsWith("dns")) status.pilot_dns_cluster_without_endpoints.add(cluster);
      else if (service.resolution === "client-side-lb") status.pilot_eds_no_instances.add(cluster);
    }
  }
}

function addDuplicates(services: readonly Service[], status: Status): void {
  const owners = new Map<string, Service>();
  for (const service of services) {
    for (const { port } of service.ports) {
      const cluster = outboundClusterName(service.hostname, port);
      if ((owners.get(cluster) ?? service) !== service) status.pilot_duplicate_envoy_clusters.add(cluster);
      else owners.set(cluster, service);
    }
  }
}

function addSubsets(push: PushContext, status: Status): void {
  const { clusterDomain } = push;
  const seen = new Map<string, string>();
  for (const { name, namespace, spec } of push.configs("DestinationRule")) {
    const host = resolveHost(spec.host, { namespace, clusterDomain });
    for (const subset of spec.subsets) {
      const key = `${namespace} ${host} ${subset.name}`;
      if (seen.has(key) && seen.get(key) !== name) status.pilot_destrule_subsets.add(key);
      seen.set(key, name);
    }
  }
}

function addEndpointsAndPods(push: PushContext, status: Status): void {
  const pods = new Set<string>();
  for (const { name, namespace, spec } of push.configs("Pod")) {
    pods.add(`${namespace}/${name}`);
    if (spec.podIPs.length === 0) status.pilot_no_ip.add(`${namespace}/${name}`);
  }
  for (const { namespace, spec } of push.configs("EndpointSlice")) {
    for (const { targetPod, addresses, ready, terminating } of spec.endpoints) {
      if (!ready && !terminating) status.pilot_endpoint_not_ready.add(`${namespace}/${addresses[0]}`);
      const key = targetPod === undefined ? undefined : `${targetPod.namespace}/${targetPod.name}`;
      if (key !== undefined && !pods.has(key)) status.endpoint_no_pod.add(key);
    }
  }
}

function addInbound(push: PushContext, proxy: ProxyNode, status: Status): void {
  const protocols = new Map<number, string>();
  for (const { port, targetPort } of push.serviceTargets(proxy)) {
    const known = protocols.get(targetPort);
    if (known === undefined) protocols.set(targetPort, port.protocol);
    else if (known !== port.protocol) status.pilot_conflict_inbound_listener.add(`${proxy.podKey} ${targetPort}`);
  }
}

function addOutbound({ egress, namespace }: SidecarScope, status: Status): void {
  for (const { services, virtualServices, port, bind } of egress) {
    const owners = new Map<string, Service>();
    for (const service of services) {
      for (const { port: number, protocol } of service.ports) {
        if (port !== undefined && port.number !== number) continue;
        if (!isTcp(protocol)) continue;
        const listener = `${bind}_${number}`;
        if (owners.has(listener))
          status.pilot_conflict_outbound_listener_tcp_over_current_tcp.add(`${listener} ${service.key}`);
        else owners.set(listener, service);
      }
    }
    const hosts = new Set<string>();
    for (const { hosts: named } of virtualServices) {
      for (const host of named) {
        if (hosts.has(host)) status.pilot_vservice_dup_domain.add(`${namespace} ${host}`);
        hosts.add(host);
      }
    }
  }
}
