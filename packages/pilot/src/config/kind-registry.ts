import type { Kind, SpecByKind } from "./config-object.ts";
import { authorizationPolicy } from "./kinds/authorization-schema.ts";
import { destinationRule } from "./kinds/destination-rule-schema.ts";
import { endpointSlice } from "./kinds/endpoint-slice-schema.ts";
import { envoyFilter } from "./kinds/envoy-filter-schema.ts";
import { peerAuthentication, proxyConfig, wasmPlugin } from "./kinds/extension-schema.ts";
import { gateway } from "./kinds/gateway-schema.ts";
import { deployment, kubernetesService, namespace, pod } from "./kinds/kubernetes-schema.ts";
import { meshConfig } from "./kinds/mesh-config-schema.ts";
import { requestAuthentication } from "./kinds/request-authentication-schema.ts";
import { secret } from "./kinds/secret-schema.ts";
import { serviceEntry } from "./kinds/service-entry-schema.ts";
import { sidecar } from "./kinds/sidecar-schema.ts";
import { telemetry } from "./kinds/telemetry-schema.ts";
import { virtualService } from "./kinds/virtual-service-schema.ts";
import { workloadEntry } from "./kinds/workload-entry-schema.ts";
import type { Reader } from "./schema/reader.ts";

/** How one kind is recognised and read. */
export interface KindDefinition<K extends Kind = Kind> {
  /** API group; empty for the core group. */
  readonly group: string;
  readonly versions: readonly string[];
  readonly namespaced: boolean;
  /** What the reader is given: `spec`, or the object as a whole. */
  readonly reads: "spec" | "object";
  /** Whether top-level keys other than the five usual ones are an error (§8.1). */
  readonly strict: boolean;
  /** Whether an object without `spec` is an error (§8.10). */
  readonly needsSpec: boolean;
  readonly reader: Reader<SpecByKind[K]>;
}

type Registry = { readonly [K in Kind]: KindDefinition<K> };

const NETWORKING = "networking.istio.io";
const SECURITY = "security.istio.io";
const NETWORKING_VERSIONS = ["v1", "v1beta1", "v1alpha3"];

function istio<K extends Kind>(
  group: string,
  versions: readonly string[],
  reader: Reader<SpecByKind[K]>,
  needsSpec = false,
): KindDefinition<K> {
  return { group, versions, namespaced: true, reads: "spec", strict: true, needsSpec, reader };
}

function kubernetes<K extends Kind>(
  group: string,
  version: string,
  reads: "spec" | "object",
  reader: Reader<SpecByKind[K]>,
): KindDefinition<K> {
  return { group, versions: [version], namespaced: true, reads, strict: false, needsSpec: false, reader };
}

/** Every kind that the store keeps. */
export const KINDS: Registry = {
  Namespace: { ...kubernetes<"Namespace">("", "v1", "object", namespace), namespaced: false },
  Service: kubernetes("", "v1", "object", kubernetesService),
  Pod: kubernetes("", "v1", "object", pod),
  Deployment: kubernetes("apps", "v1", "spec", deployment),
  EndpointSlice: kubernetes("discovery.k8s.io", "v1", "object", endpointSlice),
  Secret: kubernetes("", "v1", "object", secret),
  VirtualService: istio(NETWORKING, NETWORKING_VERSIONS, virtualService),
  DestinationRule: istio(NETWORKING, NETWORKING_VERSIONS, destinationRule),
  Gateway: istio(NETWORKING, NETWORKING_VERSIONS, gateway),
  Sidecar: istio(NETWORKING, NETWORKING_VERSIONS, sidecar),
  ServiceEntry: istio(NETWORKING, NETWORKING_VERSIONS, serviceEntry, true),
  WorkloadEntry: istio(NETWORKING, NETWORKING_VERSIONS, workloadEntry, true),
  EnvoyFilter: istio(NETWORKING, ["v1alpha3"], envoyFilter),
  ProxyConfig: istio(NETWORKING, ["v1beta1"], proxyConfig),
  Telemetry: istio("telemetry.istio.io", ["v1", "v1alpha1"], telemetry),
  AuthorizationPolicy: istio(SECURITY, ["v1", "v1beta1"], authorizationPolicy),
  PeerAuthentication: istio(SECURITY, ["v1", "v1beta1"], peerAuthentication),
  RequestAuthentication: istio(SECURITY, ["v1", "v1beta1"], requestAuthentication),
  WasmPlugin: istio("extensions.istio.io", ["v1alpha1"], wasmPlugin, true),
  // No API group of its own upstream; `apiVersion` is optional and not looked at.
  MeshConfig: { ...istio<"MeshConfig">("", [], meshConfig), namespaced: false },
};

/** Kinds of Istio that are known but not applied yet. */
export const UNSUPPORTED_KINDS: readonly string[] = ["WorkloadGroup", "TrafficExtension"];

/** Kubernetes kinds that users keep beside the ones above; they mean nothing to the mesh and pass in silence. */
export const IGNORED_KINDS: ReadonlySet<string> = new Set([
  "ClusterRole",
  "ClusterRoleBinding",
  "ConfigMap",
  "CronJob",
  "CustomResourceDefinition",
  "DaemonSet",
  "Endpoints",
  "HorizontalPodAutoscaler",
  "Job",
  "LimitRange",
  "MutatingWebhookConfiguration",
  "NetworkPolicy",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "PodDisruptionBudget",
  "ReplicaSet",
  "ResourceQuota",
  "Role",
  "RoleBinding",
  "ServiceAccount",
  "StatefulSet",
  "StorageClass",
  "ValidatingWebhookConfiguration",
]);

export function isKind(kind: string): kind is Kind {
  return Object.hasOwn(KINDS, kind);
}
