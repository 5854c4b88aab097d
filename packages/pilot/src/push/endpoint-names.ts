import type { ConfigObject, ObjectKey } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { StringMap } from "../config/kinds/common.ts";
import { outboundClusterName } from "../generators/names.ts";
import { mergeLabels, selectorMatches } from "../model/labels.ts";
import { serviceHostname } from "../model/resolve-name.ts";

const SERVICE_LABEL = "kubernetes.io/service-name";

interface Target {
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
}

/**
 * The assignments that changed endpoints can be in: by the services that select them, on all ports, in all
 * subsets that any rule knows. Undefined: an object of another kind changed, so it may be any.
 */
export function endpointNames(
  before: ConfigSnapshot,
  after: ConfigSnapshot,
  changed: ReadonlySet<ObjectKey>,
): ReadonlySet<string> | undefined {
  const targets: Target[] = [];
  for (const key of changed) {
    for (const snapshot of [before, after]) {
      const object = snapshot.get(key);
      if (object === undefined) continue;
      const found = targetsOf(object, snapshot);
      if (found === undefined) return undefined;
      targets.push(...found);
    }
  }
  const subsets = new Set([""]);
  for (const { spec } of after.list("DestinationRule")) for (const { name } of spec.subsets) subsets.add(name);
  const names = new Set<string>();
  for (const { hosts, ports } of targets) {
    for (const host of hosts)
      for (const port of ports) for (const subset of subsets) names.add(outboundClusterName(host, port, subset));
  }
  return names;
}

function targetsOf(object: ConfigObject, snapshot: ConfigSnapshot): Target[] | undefined {
  switch (object.kind) {
    case "Pod": {
      const { podIPs } = (object as ConfigObject<"Pod">).spec;
      const own = selecting(object.namespace, object.metadata.labels, snapshot);
      return [...own, ...slicesWith(podIPs, object.namespace, snapshot)];
    }
    case "WorkloadEntry": {
      const { labels, address } = (object as ConfigObject<"WorkloadEntry">).spec;
      const own = selecting(object.namespace, mergeLabels(labels, object.metadata.labels), snapshot);
      return [...own, ...slicesWith([address], object.namespace, snapshot)];
    }
    case "EndpointSlice":
      return sliceTargets(object as ConfigObject<"EndpointSlice">, snapshot);
    case "Namespace":
      return [];
    default:
      return undefined;
  }
}

function selecting(namespace: string, labels: StringMap, snapshot: ConfigSnapshot): Target[] {
  const services = snapshot
    .list("Service")
    .filter(({ spec, ...service }) => service.namespace === namespace && covers(spec.selector, labels))
    .map(serviceTarget);
  const entries = snapshot
    .list("ServiceEntry")
    .filter(({ spec, ...entry }) => entry.namespace === namespace && covers(spec.workloadSelector?.labels, labels))
    .map(entryTarget);
  return [...services, ...entries];
}

/** An endpoint of a slice has the labels and the identity of the workload at its address. */
function slicesWith(addresses: readonly string[], namespace: string, snapshot: ConfigSnapshot): Target[] {
  return snapshot
    .list("EndpointSlice")
    .filter(
      ({ spec, ...slice }) =>
        slice.namespace === namespace &&
        spec.endpoints.some((endpoint) => endpoint.addresses.some((address) => addresses.includes(address))),
    )
    .flatMap((slice) => sliceTargets(slice, snapshot));
}

function sliceTargets(slice: ConfigObject<"EndpointSlice">, snapshot: ConfigSnapshot): Target[] {
  const name = slice.metadata.labels[SERVICE_LABEL];
  return snapshot
    .list("Service")
    .filter((service) => service.namespace === slice.namespace && service.name === name)
    .map(serviceTarget);
}

function covers(selector: StringMap | undefined, labels: StringMap): boolean {
  return selector !== undefined && selectorMatches(selector, labels);
}

function serviceTarget({ name, namespace, spec }: ConfigObject<"Service">): Target {
  return { hosts: [serviceHostname(name, namespace, "cluster.local")], ports: spec.ports.map(({ port }) => port) };
}

function entryTarget({ spec }: ConfigObject<"ServiceEntry">): Target {
  return { hosts: spec.hosts.map((host) => host.toLowerCase()), ports: spec.ports.map(({ number }) => number) };
}
