import type { StringMap } from "./common.ts";

/** v1 Namespace. Its labels are in the metadata. */
export type NamespaceSpec = Readonly<Record<string, never>>;

/** v1 Service. */
export interface KubernetesServiceSpec {
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  /** Absent when the Service has no selector; then only EndpointSlices give it endpoints. */
  readonly selector?: StringMap;
  readonly ports: readonly KubernetesServicePort[];
  readonly headless: boolean;
  /** Cluster IPs, first the primary; empty when headless or not assigned. */
  readonly clusterIPs: readonly string[];
  /** Empty unless `type` is ExternalName. */
  readonly externalName: string;
  readonly publishNotReadyAddresses: boolean;
}

export interface KubernetesServicePort {
  readonly name: string;
  readonly port: number;
  /** A number, or the name of a container port. Equals `port` when absent. */
  readonly targetPort: number | string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly appProtocol: string;
}

/** v1 Pod: what the mesh needs of spec and status. */
export interface PodSpec {
  readonly containerPorts: readonly ContainerPort[];
  readonly serviceAccountName: string;
  readonly nodeName: string;
  /** The addresses of the status, first the primary; empty when none is assigned yet. */
  readonly podIPs: readonly string[];
  /** The `Ready` condition. A status that lists no conditions counts as ready (hand-written files). */
  readonly ready: boolean;
  /** `Succeeded` or `Failed`: never an endpoint. */
  readonly terminal: boolean;
  /** Whether a container `istio-proxy` is there, or the injection status annotation. */
  readonly hasSidecar: boolean;
}

export interface ContainerPort {
  readonly name: string;
  readonly containerPort: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

/** apps/v1 Deployment. Information only: the mesh acts on Pods. */
export interface DeploymentSpec {
  readonly replicas: number;
  readonly selector: StringMap;
  readonly templateLabels: StringMap;
  readonly templateAnnotations: StringMap;
  readonly serviceAccountName: string;
}

/** discovery.k8s.io/v1 EndpointSlice. */
export interface EndpointSliceSpec {
  /** Label `kubernetes.io/service-name`; empty when the slice belongs to no Service. */
  readonly serviceName: string;
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodeName: string;
  readonly zone: string;
  /** The Pod behind it, when the slice names one. */
  readonly targetPod?: { readonly name: string; readonly namespace: string };
}
