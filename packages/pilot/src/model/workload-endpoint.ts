import type { ConfigObject } from "../config/config-object.ts";
import type { SliceEndpoint } from "../config/kinds/kubernetes.ts";
import type { Endpoint } from "./endpoint.ts";
import { mergeLabels } from "./labels.ts";
import type { ServicePort } from "./service.ts";
import type { Workload } from "./workload.ts";
import { istioWorkload } from "./workload-names.ts";

export function spiffeIdentity(trustDomain: string, namespace: string, serviceAccount: string): string {
  return serviceAccount === "" ? "" : `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** A Pod or WorkloadEntry as endpoint of a service port. */
export function workloadEndpoint(
  workload: Workload,
  address: string,
  port: number,
  servicePort: ServicePort,
  trustDomain: string,
): Endpoint {
  const { namespace, serviceAccount } = workload;
  return Object.freeze<Endpoint>({
    address,
    port: address.startsWith("unix://") ? 0 : port,
    servicePortName: servicePort.name,
    labels: workload.labels,
    locality: workload.locality,
    weight: workload.weight,
    network: workload.network,
    clusterId: workload.clusterId,
    namespace,
    serviceAccount,
    identity: spiffeIdentity(trustDomain, namespace, serviceAccount),
    health: "healthy",
    tlsMode: workload.tlsMode,
    istioWorkload: istioWorkload(workload),
    instanceName: workload.name,
    config: workload.config,
  });
}

/** An address that an EndpointSlice names without a Pod that we know. */
export function sliceEndpoint(
  slice: ConfigObject<"EndpointSlice">,
  entry: SliceEndpoint,
  address: string,
  port: number,
  servicePort: ServicePort,
): Endpoint {
  const { namespace } = slice;
  return Object.freeze<Endpoint>({
    address,
    port,
    servicePortName: servicePort.name,
    labels: mergeLabels(),
    locality: Object.freeze({ region: "", zone: entry.zone, subzone: "" }),
    weight: 1,
    network: "",
    clusterId: "",
    namespace,
    serviceAccount: "",
    identity: "",
    health: "healthy",
    tlsMode: "disabled",
    istioWorkload: istioWorkload({
      workloadName: "",
      namespace,
      canonicalName: "",
      canonicalRevision: "",
      clusterId: "",
    }),
    instanceName: entry.targetPod?.name ?? "",
    config: slice,
  });
}
