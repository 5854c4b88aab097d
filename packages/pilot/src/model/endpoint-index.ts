import type { ConfigObject } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { StringMap } from "../config/kinds/common.ts";
import type { SliceEndpoint } from "../config/kinds/kubernetes.ts";
import type { Endpoint } from "./endpoint.ts";
import { selectorMatches } from "./labels.ts";
import type { Service, ServicePort } from "./service.ts";
import { entryEndpoints } from "./service-entry-endpoints.ts";
import { targetPortOf } from "./target-port.ts";
import type { Workload } from "./workload.ts";
import { sliceEndpoint, workloadEndpoint } from "./workload-endpoint.ts";
import type { WorkloadIndex } from "./workload-index.ts";

const NOTHING: readonly Endpoint[] = Object.freeze([]);

/** Endpoints by service and port, worked out when first asked for. */
export class EndpointIndex {
  readonly #workloads: WorkloadIndex;
  readonly #trustDomain: string;
  readonly #slices = new Map<string, ConfigObject<"EndpointSlice">[]>();
  readonly #known = new Map<string, readonly Endpoint[]>();

  constructor(snapshot: ConfigSnapshot, workloads: WorkloadIndex, trustDomain: string) {
    this.#workloads = workloads;
    this.#trustDomain = trustDomain;
    for (const slice of snapshot.list("EndpointSlice")) {
      const key = `${slice.namespace}/${slice.spec.serviceName}`;
      const same = this.#slices.get(key);
      if (same === undefined) this.#slices.set(key, [slice]);
      else same.push(slice);
    }
  }

  of(service: Service, port: number, subsetLabels?: StringMap): readonly Endpoint[] {
    const key = `${service.key}:${port}`;
    let endpoints = this.#known.get(key);
    if (endpoints === undefined) {
      const servicePort = service.ports.find((candidate) => candidate.port === port);
      endpoints = servicePort === undefined ? NOTHING : Object.freeze(this.#build(service, servicePort));
      this.#known.set(key, endpoints);
    }
    if (subsetLabels === undefined || Object.keys(subsetLabels).length === 0) return endpoints;
    return endpoints.filter((endpoint) => selectorMatches(subsetLabels, endpoint.labels));
  }

  /** Whether EndpointSlices name the workload behind a service; undefined without slices. */
  slicedBehind(service: Service, workload: Workload): boolean | undefined {
    const slices = this.#slicesOf(service);
    if (slices.length === 0) return undefined;
    return slices.some((slice) =>
      slice.spec.endpoints.some(
        ({ addresses, targetPod }) =>
          (targetPod?.name === workload.name && targetPod.namespace === workload.namespace) ||
          addresses.some((address) => workload.addresses.includes(address)),
      ),
    );
  }

  #slicesOf(service: Service): readonly ConfigObject<"EndpointSlice">[] {
    if (service.registry !== "kubernetes") return [];
    return this.#slices.get(`${service.namespace}/${service.name}`) ?? [];
  }

  #build(service: Service, port: ServicePort): Endpoint[] {
    const { config } = service;
    if (config.kind === "ServiceEntry" && service.selector === undefined) {
      return entryEndpoints(service, config, port, this.#trustDomain);
    }
    if (service.resolution === "alias") return [];
    const slices = this.#slicesOf(service);
    const selected =
      service.selector === undefined ? [] : this.#workloads.selected(service.namespace, service.selector);
    // Slices are what a cluster made of the Pods; WorkloadEntries are never in them.
    const workloads = slices.length === 0 ? selected : selected.filter((workload) => workload.config.kind !== "Pod");
    const endpoints = slices.flatMap((slice) => this.#fromSlice(service, port, slice));
    for (const workload of workloads) {
      if (!workload.ready && !service.publishNotReadyAddresses) continue;
      const target = targetPortOf(port, workload);
      if (target === undefined) continue;
      endpoints.push(
        ...workload.addresses
          .slice(0, 1)
          .map((address) => workloadEndpoint(workload, address, target, port, this.#trustDomain)),
      );
    }
    return firstOfEachAddress(endpoints);
  }

  #fromSlice(service: Service, port: ServicePort, slice: ConfigObject<"EndpointSlice">): Endpoint[] {
    const target = slice.spec.ports.find((candidate) => candidate.name === port.name);
    if (target === undefined || target.port === 0) return [];
    const usable = slice.spec.endpoints.filter((entry) => entry.ready || service.publishNotReadyAddresses);
    return usable.flatMap((entry) =>
      entry.addresses.slice(0, 1).map((address) => {
        const workload = this.#podBehind(slice, entry, address);
        if (workload !== undefined) return workloadEndpoint(workload, address, target.port, port, this.#trustDomain);
        return sliceEndpoint(slice, entry, address, target.port, port);
      }),
    );
  }

  #podBehind(slice: ConfigObject<"EndpointSlice">, entry: SliceEndpoint, address: string): Workload | undefined {
    if (entry.targetPod !== undefined) return this.#workloads.named(entry.targetPod.namespace, entry.targetPod.name);
    return this.#workloads.addressed(slice.namespace, address);
  }
}

function firstOfEachAddress(endpoints: readonly Endpoint[]): Endpoint[] {
  const byPlace = new Map<string, Endpoint>();
  for (const endpoint of endpoints) {
    const place = `${endpoint.address} ${endpoint.port}`;
    if (!byPlace.has(place)) byPlace.set(place, endpoint);
  }
  return [...byPlace.values()];
}

/** The distinct identities behind all ports of a service, sorted. */
export function identitiesBehind(index: EndpointIndex, service: Service): readonly string[] {
  const identities = new Set(service.subjectAltNames);
  for (const { port } of service.ports) {
    for (const { identity } of index.of(service, port)) if (identity !== "") identities.add(identity);
  }
  return Object.freeze([...identities].sort());
}
