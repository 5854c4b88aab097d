import type { ConfigObject, Kind } from "../config/config-object.ts";
import type { StringMap } from "../config/kinds/common.ts";
import type { MeshConfigSpec } from "../config/kinds/mesh-config.ts";
import type { MergedDestinationRule } from "./destination-rule.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ResolvedGateway } from "./gateway.ts";
import type { ProxyNode } from "./proxy-node.ts";
import type { Service, ServiceKey, ServicePort } from "./service.ts";
import type { SidecarScope } from "./sidecar-scope.ts";
import type { ResolvedVirtualService } from "./virtual-service.ts";
import type { Workload } from "./workload.ts";

/** A port of a service that a workload itself serves. */
export interface ServiceTarget {
  readonly service: Service;
  readonly port: ServicePort;
  /** The number that the application listens on. */
  readonly targetPort: number;
}

/** As Istio's PILOT_JWT_ENABLE_REMOTE_JWKS names them. */
export type RemoteKeys = "off" | "hybrid" | "envoy";

/** Kinds that attach by selector or target reference (control-plane §6.1). */
export type AttachedKind =
  | "EnvoyFilter"
  | "Telemetry"
  | "AuthorizationPolicy"
  | "PeerAuthentication"
  | "RequestAuthentication"
  | "WasmPlugin"
  | "ProxyConfig";

/**
 * Everything the generators ask about one revision of the configuration. Immutable: a push uses one
 * PushContext from beginning to end. Look-ups are indexed, results are shared, nothing throws.
 */
export interface PushContext {
  /** Whether data planes fetch keys themselves: never, where they see the host, always [control-plane §6.5]. */
  readonly remoteKeys: RemoteKeys;
  /** The key set that was fetched for a URL (of keys, or of a discovery document); undefined: none could be had yet. */
  keySet(url: string): string | undefined;
  readonly revision: number;
  readonly mesh: MeshConfigSpec;
  /** The object that `mesh` was read from, if any. */
  readonly meshConfig: ConfigObject<"MeshConfig"> | undefined;
  /** Domain of Kubernetes services, `cluster.local`. */
  readonly clusterDomain: string;
  /** Oldest first. A hostname may occur once per namespace. */
  readonly services: readonly Service[];
  /** The service of that name; without a namespace Kubernetes goes before ServiceEntry, then the oldest. */
  service(hostname: string, namespace?: string): Service | undefined;
  /** Endpoints behind one service port, optionally of a subset: labels that the workload must have. */
  endpoints(service: ServiceKey, port: number, subsetLabels?: StringMap): readonly Endpoint[];
  /** Distinct SPIFFE identities behind a service, sorted; plus the `subjectAltNames` of a ServiceEntry. */
  identities(service: ServiceKey): readonly string[];
  /** The Pod or WorkloadEntry of a proxy: by name and namespace, else by an address that only one has. */
  workload(proxy: ProxyNode): Workload | undefined;
  /** Labels of the proxy: those of its workload overlaid on what the node claims. */
  labelsOf(proxy: ProxyNode): StringMap;
  /** The service ports that the proxy's workload serves, oldest service first. */
  serviceTargets(proxy: ProxyNode): readonly ServiceTarget[];
  sidecarScope(proxy: ProxyNode): SidecarScope;
  /**
   * VirtualServices bound to a gateway (`namespace/name`), oldest first, as far as they are exported to the
   * namespace of the proxy; by default that of the gateway.
   */
  gatewayVirtualServices(gateway: string, proxyNamespace?: string): readonly ResolvedVirtualService[];
  /** The rule that clients in a namespace, with these labels, see for a host (§7.5). */
  destinationRule(namespace: string, labels: StringMap, hostname: string): MergedDestinationRule | undefined;
  /** Every Gateway, oldest first. */
  readonly allGateways: readonly ResolvedGateway[];
  /** Gateways whose selector covers the labels of the proxy, oldest first. */
  gateways(proxy: ProxyNode): readonly ResolvedGateway[];
  /** Resources of a kind that apply to the proxy: root namespace first, then its own, oldest first. */
  attached<K extends AttachedKind>(kind: K, proxy: ProxyNode): readonly ConfigObject<K>[];
  /** Every object of a kind, oldest first. */
  configs<K extends Kind>(kind: K): readonly ConfigObject<K>[];
}
