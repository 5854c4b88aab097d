// The Kubernetes kinds, as far as the mesh reads them. Their API server has validated what comes from a
// cluster; files are checked for what would otherwise fail silently.
import { isDnsLabel, isIP } from "../schema/hosts.ts";
import { lists, object, optional, required, withDefault } from "../schema/object.ts";
import { boolean, convert, describe, integer, map, oneOf, type Reader, string } from "../schema/reader.ts";
import { checkUnique, port } from "../schema/shared-readers.ts";
import { labels } from "../schema/text-rules.ts";
import type { StringMap } from "./common.ts";
import type {
  ContainerPort,
  DeploymentSpec,
  KubernetesServicePort,
  KubernetesServiceSpec,
  NamespaceSpec,
  PodSpec,
} from "./kubernetes.ts";

const EMPTY: StringMap = Object.freeze(Object.create(null) as Record<string, string>);
const OPEN = { open: true } as const;

export const namespace: Reader<NamespaceSpec> = convert(object({}, OPEN), () => Object.freeze({}));

const transport = oneOf("TCP", "UDP", "SCTP");

/** A port number, or the name of a container port. */
const targetPort: Reader<number | string> = (value, at) => {
  if (typeof value === "number") return port(value, at);
  const name = string(value, at);
  if (name !== undefined && !isDnsLabel(name)) {
    at.error("bad-name", `${describe(name)} is no port name.`, "Use a number or the name of a container port.");
  }
  return name;
};

const servicePort: Reader<KubernetesServicePort> = convert(
  object(
    {
      name: withDefault(string, ""),
      port: required(port),
      targetPort: optional(targetPort),
      protocol: withDefault(transport, "TCP"),
      appProtocol: withDefault(string, ""),
    },
    { ignored: ["nodePort"] },
  ),
  (read) => Object.freeze({ ...read, targetPort: read.targetPort ?? read.port }),
);

const SERVICE_FIELDS = [
  "allocateLoadBalancerNodePorts",
  "externalIPs",
  "externalTrafficPolicy",
  "healthCheckNodePort",
  "internalTrafficPolicy",
  "ipFamilies",
  "ipFamilyPolicy",
  "loadBalancerClass",
  "loadBalancerIP",
  "loadBalancerSourceRanges",
  "sessionAffinity",
  "sessionAffinityConfig",
  "trafficDistribution",
];

const serviceSpec = object(
  {
    type: withDefault(oneOf("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"), "ClusterIP"),
    selector: optional(labels),
    ports: lists(servicePort),
    clusterIP: withDefault(string, ""),
    clusterIPs: lists(string),
    externalName: withDefault(string, ""),
    publishNotReadyAddresses: withDefault(boolean, false),
  },
  { ignored: SERVICE_FIELDS },
);

/** Reads the whole object. */
export const kubernetesService: Reader<KubernetesServiceSpec> = convert(
  object({ spec: required(serviceSpec) }, OPEN),
  ({ spec }, root) => {
    const at = root.at("spec");
    const { clusterIP, clusterIPs, selector, ...rest } = spec;
    if (rest.type === "ExternalName" && rest.externalName === "") {
      at.error("missing-field", "An ExternalName Service needs externalName.", "Add externalName.");
    }
    checkUnique(
      rest.ports,
      (entry) => entry.name,
      (name, index) => {
        const message = name === "" ? "Several ports need names." : `The port name ${name} is used twice.`;
        at.at("ports").at(index).error("repeated-name", message, "Give each port its own name.");
      },
    );
    const headless = clusterIP === "None" || clusterIPs.includes("None");
    const addresses = clusterIPs.length > 0 ? clusterIPs : clusterIP === "" ? [] : [clusterIP];
    return Object.freeze({
      ...rest,
      headless,
      clusterIPs: headless ? [] : addresses,
      // An empty selector selects nothing in a Service.
      ...(selector === undefined || Object.keys(selector).length === 0 ? {} : { selector }),
    });
  },
);

const containerPort: Reader<ContainerPort> = object(
  { name: withDefault(string, ""), containerPort: required(port), protocol: withDefault(transport, "TCP") },
  OPEN,
);

const container = object({ name: withDefault(string, ""), ports: lists(containerPort) }, OPEN);

const podTemplate = object(
  {
    containers: lists(container),
    initContainers: lists(container),
    serviceAccountName: withDefault(string, "default"),
    nodeName: withDefault(string, ""),
  },
  OPEN,
);

const podStatus = object(
  {
    phase: withDefault(string, ""),
    podIP: withDefault(string, ""),
    podIPs: lists(object({ ip: withDefault(string, "") }, OPEN)),
    conditions: lists(object({ type: withDefault(string, ""), status: withDefault(string, "") }, OPEN)),
  },
  OPEN,
);

const podMetadata = object({ annotations: withDefault(map(string), EMPTY) }, OPEN);

const podObject = object(
  { metadata: optional(podMetadata), spec: required(podTemplate), status: optional(podStatus) },
  OPEN,
);

/** Reads the whole object: addresses and readiness are in its status. */
export const pod: Reader<PodSpec> = convert(podObject, ({ metadata, spec, status }, at) => {
  const containers = [...spec.containers, ...spec.initContainers];
  const listed = status?.podIPs.map((entry) => entry.ip) ?? [];
  const podIPs = [...new Set([status?.podIP ?? "", ...listed].filter((ip) => ip !== ""))];
  podIPs.forEach((ip) => {
    if (isIP(ip) === 0)
      at.at("status")
        .at("podIP")
        .error("bad-address", `${describe(ip)} is no IP address.`, "Correct it.");
  });
  const conditions = status?.conditions ?? [];
  const ready = conditions.length === 0 || conditions.some(({ type, status }) => type === "Ready" && status === "True");
  const injected = metadata?.annotations["sidecar.istio.io/status"] !== undefined;
  return Object.freeze({
    containerPorts: Object.freeze(containers.flatMap((entry) => entry.ports)),
    serviceAccountName: spec.serviceAccountName || "default",
    nodeName: spec.nodeName,
    podIPs: Object.freeze(podIPs),
    ready,
    terminal: status?.phase === "Succeeded" || status?.phase === "Failed",
    hasSidecar: injected || containers.some((entry) => entry.name === "istio-proxy"),
  });
});

const template = object(
  {
    metadata: optional(
      object({ labels: withDefault(labels, EMPTY), annotations: withDefault(map(string), EMPTY) }, OPEN),
    ),
    spec: optional(object({ serviceAccountName: withDefault(string, "default") }, OPEN)),
  },
  OPEN,
);

export const deployment: Reader<DeploymentSpec> = convert(
  object(
    {
      replicas: withDefault(integer({ min: 0 }), 1),
      selector: optional(object({ matchLabels: withDefault(labels, EMPTY) }, OPEN)),
      template: optional(template),
    },
    OPEN,
  ),
  ({ replicas, selector, template }) =>
    Object.freeze({
      replicas,
      selector: selector?.matchLabels ?? EMPTY,
      templateLabels: template?.metadata?.labels ?? EMPTY,
      templateAnnotations: template?.metadata?.annotations ?? EMPTY,
      serviceAccountName: template?.spec?.serviceAccountName ?? "default",
    }),
);
