// From one snapshot of the configuration to everything that generators ask about it.
import type { ConfigObject, Kind } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { StringMap } from "../config/kinds/common.ts";
import { defaultMeshConfig } from "../config/kinds/mesh-config-schema.ts";
import { isAttached } from "./attachment.ts";
import { buildSidecarScope, type ScopeFacts } from "./build-sidecar-scope.ts";
import { DestinationRuleIndex } from "./destination-rule-index.ts";
import { EndpointIndex, identitiesBehind } from "./endpoint-index.ts";
import type { ResolvedGateway } from "./gateway.ts";
import { mergeLabels, selectorMatches } from "./labels.ts";
import type { ProxyNode } from "./proxy-node.ts";
import type { AttachedKind, PushContext, RemoteKeys, ServiceTarget } from "./push-context.ts";
import { resolveGateways } from "./resolve-gateways.ts";
import { resolveVirtualServices } from "./resolve-virtual-services.ts";
import type { Service, ServiceKey } from "./service.ts";
import { ServiceIndex } from "./service-index.ts";
import { serviceTargetsOf } from "./service-targets.ts";
import type { SidecarScope } from "./sidecar-scope.ts";
import { selectSidecar } from "./sidecar-selection.ts";
import type { ResolvedVirtualService } from "./virtual-service.ts";
import { isVisibleTo } from "./visibility.ts";
import type { Workload } from "./workload.ts";
import { WorkloadIndex } from "./workload-index.ts";

export interface PushContextOptions {
  /** Default `cluster.local`. */
  readonly clusterDomain?: string;
  /** Name of the cluster in endpoint metadata and labels. Default `Kubernetes`. */
  readonly clusterId?: string;
  /** Default: off. */
  readonly remoteKeys?: RemoteKeys;
  /** Key sets that were fetched, by URL. */
  readonly keySets?: ReadonlyMap<string, string>;
}

/** Indexes a snapshot. Costs time in proportion to its size; scopes and endpoints are built when asked for. */
export function createPushContext(snapshot: ConfigSnapshot, options: PushContextOptions = {}): PushContext {
  return new IndexedPushContext(snapshot, options);
}

class IndexedPushContext implements PushContext {
  readonly revision: number;
  readonly mesh: PushContext["mesh"];
  readonly meshConfig: ConfigObject<"MeshConfig"> | undefined;
  readonly clusterDomain: string;
  readonly services: readonly Service[];
  readonly allGateways: readonly ResolvedGateway[];
  readonly remoteKeys: RemoteKeys;
  readonly #keySets: ReadonlyMap<string, string>;
  readonly #snapshot: ConfigSnapshot;
  readonly #services: ServiceIndex;
  readonly #workloads: WorkloadIndex;
  readonly #endpoints: EndpointIndex;
  readonly #facts: ScopeFacts;
  /** By namespace and Sidecar: workloads with the same ones share a scope. */
  readonly #scopes = new Map<string, SidecarScope>();
  readonly #targets = new Map<Workload, readonly ServiceTarget[]>();

  constructor(snapshot: ConfigSnapshot, options: PushContextOptions) {
    const { clusterDomain = "cluster.local", clusterId = "Kubernetes", remoteKeys = "off", keySets } = options;
    const [meshConfig] = snapshot.list("MeshConfig");
    const mesh = meshConfig?.spec ?? defaultMeshConfig();
    this.revision = snapshot.revision;
    this.mesh = mesh;
    this.meshConfig = meshConfig;
    this.clusterDomain = clusterDomain;
    this.remoteKeys = remoteKeys;
    this.#keySets = keySets ?? new Map();
    this.#snapshot = snapshot;
    this.#services = new ServiceIndex(snapshot, mesh, clusterDomain);
    this.services = this.#services.all;
    this.#workloads = new WorkloadIndex(snapshot, clusterId);
    this.#endpoints = new EndpointIndex(snapshot, this.#workloads, mesh.trustDomain);
    this.allGateways = resolveGateways(snapshot);
    this.#facts = {
      mesh,
      services: this.#services,
      virtualServices: resolveVirtualServices(snapshot, mesh, clusterDomain),
      destinationRules: new DestinationRuleIndex(snapshot, mesh, clusterDomain),
    };
  }

  keySet(url: string): string | undefined {
    return this.#keySets.get(url);
  }

  service(hostname: string, namespace?: string): Service | undefined {
    const named = this.#services.named(hostname.toLowerCase());
    return namespace === undefined ? named[0] : named.find((service) => service.namespace === namespace);
  }

  endpoints(key: ServiceKey, port: number, subsetLabels?: StringMap) {
    const service = this.#services.get(key);
    return service === undefined ? [] : this.#endpoints.of(service, port, subsetLabels);
  }

  identities(key: ServiceKey): readonly string[] {
    const service = this.#services.get(key);
    return service === undefined ? [] : identitiesBehind(this.#endpoints, service);
  }

  workload(proxy: ProxyNode): Workload | undefined {
    return this.#workloads.of(proxy);
  }

  labelsOf(proxy: ProxyNode): StringMap {
    const workload = this.workload(proxy);
    return workload === undefined ? proxy.labels : mergeLabels(proxy.staticLabels, workload.labels);
  }

  serviceTargets(proxy: ProxyNode): readonly ServiceTarget[] {
    const workload = this.workload(proxy);
    if (workload === undefined) return [];
    let targets = this.#targets.get(workload);
    if (targets === undefined) {
      targets = serviceTargetsOf(workload, this.#services, this.#endpoints);
      this.#targets.set(workload, targets);
    }
    return targets;
  }

  /** Gateways see everything: a Sidecar is for sidecars (§7.9). */
  sidecarScope(proxy: ProxyNode): SidecarScope {
    const { namespace } = proxy;
    const config =
      proxy.type === "sidecar"
        ? selectSidecar(this.#snapshot, this.mesh.rootNamespace, namespace, this.labelsOf(proxy))
        : undefined;
    const key = `${namespace} ${config === undefined ? "" : `${config.namespace}/${config.name}`}`;
    let scope = this.#scopes.get(key);
    if (scope === undefined) {
      scope = buildSidecarScope(this.#facts, namespace, config);
      this.#scopes.set(key, scope);
    }
    return scope;
  }

  gatewayVirtualServices(
    gateway: string,
    proxyNamespace = gateway.split("/")[0] ?? "",
  ): readonly ResolvedVirtualService[] {
    return this.#facts.virtualServices.filter(
      (virtual) => virtual.gateways.includes(gateway) && isVisibleTo(virtual.visibility, proxyNamespace),
    );
  }

  destinationRule(namespace: string, labels: StringMap, hostname: string) {
    const host = hostname.toLowerCase();
    const service = this.#services.chosen(host, namespace);
    return this.#facts.destinationRules.find(namespace, labels, host, service?.namespace);
  }

  gateways(proxy: ProxyNode): readonly ResolvedGateway[] {
    if (proxy.type !== "router") return [];
    const labels = this.labelsOf(proxy);
    return this.allGateways.filter((gateway) => selectorMatches(gateway.config.spec.selector, labels));
  }

  attached<K extends AttachedKind>(kind: K, proxy: ProxyNode): readonly ConfigObject<K>[] {
    const labels = this.labelsOf(proxy);
    const namespaces = [...new Set([this.mesh.rootNamespace, proxy.namespace])];
    return namespaces.flatMap((namespace) =>
      this.configs(kind).filter(
        (config) => config.namespace === namespace && isAttached(config, proxy.namespace, labels),
      ),
    );
  }

  configs<K extends Kind>(kind: K): readonly ConfigObject<K>[] {
    return this.#snapshot.list(kind);
  }
}
