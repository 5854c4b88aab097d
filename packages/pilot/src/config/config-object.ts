import type { StringMap } from "./kinds/common.ts";
import type { DestinationRuleSpec } from "./kinds/destination-rule.ts";
import type { GatewaySpec } from "./kinds/gateway.ts";
import type {
  DeploymentSpec,
  EndpointSliceSpec,
  KubernetesServiceSpec,
  NamespaceSpec,
  PodSpec,
} from "./kinds/kubernetes.ts";
import type { MeshConfigSpec } from "./kinds/mesh-config.ts";
import type {
  EnvoyFilterSpec,
  PeerAuthenticationSpec,
  ProxyConfigSpec,
  TelemetrySpec,
  WasmPluginSpec,
} from "./kinds/policies.ts";
import type { SecretSpec } from "./kinds/secret.ts";
import type { AuthorizationPolicySpec, RequestAuthenticationSpec } from "./kinds/security.ts";
import type { ServiceEntrySpec } from "./kinds/service-entry.ts";
import type { SidecarSpec } from "./kinds/sidecar.ts";
import type { VirtualServiceSpec } from "./kinds/virtual-service.ts";
import type { WorkloadEntrySpec } from "./kinds/workload-entry.ts";

/** The kinds that the store keeps, each with its normalised form. */
export interface SpecByKind {
  Namespace: NamespaceSpec;
  Service: KubernetesServiceSpec;
  Pod: PodSpec;
  Deployment: DeploymentSpec;
  EndpointSlice: EndpointSliceSpec;
  Secret: SecretSpec;
  VirtualService: VirtualServiceSpec;
  DestinationRule: DestinationRuleSpec;
  Gateway: GatewaySpec;
  Sidecar: SidecarSpec;
  ServiceEntry: ServiceEntrySpec;
  WorkloadEntry: WorkloadEntrySpec;
  EnvoyFilter: EnvoyFilterSpec;
  ProxyConfig: ProxyConfigSpec;
  Telemetry: TelemetrySpec;
  AuthorizationPolicy: AuthorizationPolicySpec;
  PeerAuthentication: PeerAuthenticationSpec;
  RequestAuthentication: RequestAuthenticationSpec;
  WasmPlugin: WasmPluginSpec;
  MeshConfig: MeshConfigSpec;
}

export type Kind = keyof SpecByKind;

/** A place in a file. Lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Where an object was read. `root` and `ordinal` order objects that carry no creation time. */
export interface Origin extends Position {
  /** Rank of the configured directory or file that `file` belongs to. */
  readonly root: number;
  /** Rank of the object within its file. */
  readonly ordinal: number;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly controller: boolean;
}

export interface ObjectMetadata {
  readonly labels: StringMap;
  readonly annotations: StringMap;
  /** Milliseconds since the epoch. Absent: the order of the files decides. */
  readonly creationTime?: number;
  readonly generateName: string;
  readonly ownerReferences: readonly OwnerReference[];
}

/** One validated object of the configuration. Frozen. */
export interface ConfigObject<K extends Kind = Kind> {
  readonly kind: K;
  readonly apiVersion: string;
  readonly name: string;
  /** Empty for kinds without one (Namespace). */
  readonly namespace: string;
  readonly metadata: ObjectMetadata;
  readonly spec: SpecByKind[K];
  /** The whole object as it was written. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly origin: Origin;
  /** The place of a field such as `spec.http[0].route[1].weight`, or of its nearest written ancestor. */
  originOf(path: string): Position;
}

/** The identity of an object in store, faults and changes: `Kind/namespace/name`. */
export type ObjectKey = string;

export function objectKey(kind: string, namespace: string, name: string): ObjectKey {
  return `${kind}/${namespace}/${name}`;
}

export function keyOf(object: ConfigObject): ObjectKey {
  return objectKey(object.kind, object.namespace, object.name);
}

/**
 * Oldest first: creation time, then name, then namespace (control-plane §7.1). Objects without a creation
 * time count as younger than all others and go by file order instead.
 */
export function byAge(a: ConfigObject, b: ConfigObject): number {
  const timeA = a.metadata.creationTime;
  const timeB = b.metadata.creationTime;
  if (timeA === undefined && timeB === undefined) return byFileOrder(a.origin, b.origin);
  if (timeA === undefined) return 1;
  if (timeB === undefined) return -1;
  return timeA - timeB || compareText(a.name, b.name) || compareText(a.namespace, b.namespace);
}

function byFileOrder(a: Origin, b: Origin): number {
  return a.root - b.root || compareText(a.file, b.file) || a.ordinal - b.ordinal;
}

/** Code unit order, the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
