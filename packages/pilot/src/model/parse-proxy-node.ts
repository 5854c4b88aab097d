import { isIP } from "node:net";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import { mergeLabels } from "./labels.ts";
import { localityOfLabels } from "./locality.ts";
import type { ProxyNode, ProxyType } from "./proxy-node.ts";

const TYPES: readonly ProxyType[] = ["sidecar", "router", "waypoint", "ztunnel", "agentgateway"];

type Metadata = Readonly<Record<string, unknown>>;

/** What a client says of itself (§4.1), or what is wrong with it, for an InvalidArgument. */
export function parseProxyNode(node: Node): ProxyNode | string {
  const parts = node.id.split("~");
  if (parts.length !== 4) {
    return `the node id ${JSON.stringify(node.id)} has ${parts.length} parts instead of four (type~ip~name.namespace~domain)`;
  }
  const [typeText = "", address = "", podKey = "", dnsDomain = ""] = parts;
  const type = TYPES.find((candidate) => candidate === typeText);
  if (type === undefined)
    return `the node id has the unknown type ${JSON.stringify(typeText)}; known: ${TYPES.join(", ")}`;
  const metadata: Metadata = node.metadata ?? {};
  const addresses = instanceAddresses(metadata, address);
  const bad = addresses.find((candidate) => isIP(candidate) === 0);
  if (bad !== undefined || addresses.length === 0)
    return `the node has no valid IP address (${JSON.stringify(bad ?? "")})`;
  const namespace = textAt(metadata, "NAMESPACE") || namespaceOfDomain(dnsDomain);
  const staticLabels = labelsAt(metadata, "STATIC_LABELS");
  const labels = mergeLabels(labelsAt(metadata, "LABELS"), staticLabels);
  return Object.freeze<ProxyNode>({
    id: node.id,
    type,
    serviceCluster: node.cluster,
    ipAddresses: Object.freeze(addresses),
    name: instanceName(podKey, namespace),
    podKey,
    namespace,
    dnsDomain,
    labels,
    staticLabels,
    serviceAccount: textAt(metadata, "SERVICE_ACCOUNT"),
    network: textAt(metadata, "NETWORK"),
    clusterId: textAt(metadata, "CLUSTER_ID") || "Kubernetes",
    locality: localityOfLabels(labels) ?? nodeLocality(node),
    interceptionMode: interceptionMode(textAt(metadata, "INTERCEPTION_MODE")),
    istioVersion: textAt(metadata, "ISTIO_VERSION"),
    userAgentName: node.userAgentName,
    metadata,
  });
}

function instanceAddresses(metadata: Metadata, fallback: string): string[] {
  const listed = textAt(metadata, "INSTANCE_IPS");
  return (listed === "" ? fallback : listed).split(",").map((address) => address.trim());
}

/** `ns` of `ns.svc.cluster.local`. */
function namespaceOfDomain(domain: string): string {
  const [namespace = "", marker] = domain.split(".");
  return marker === "svc" ? namespace : "";
}

/** Names may have dots, so the namespace is what is cut off, not what stands behind the first dot. */
function instanceName(podKey: string, namespace: string): string {
  if (namespace !== "" && podKey.endsWith(`.${namespace}`)) return podKey.slice(0, -namespace.length - 1);
  const dot = podKey.lastIndexOf(".");
  return dot < 0 ? podKey : podKey.slice(0, dot);
}

function interceptionMode(text: string): ProxyNode["interceptionMode"] {
  return text === "NONE" || text === "TPROXY" ? text : "REDIRECT";
}

function nodeLocality(node: Node): ProxyNode["locality"] {
  const { region = "", zone = "", subZone = "" } = node.locality ?? {};
  return Object.freeze({ region, zone, subzone: subZone });
}

function textAt(metadata: Metadata, key: string): string {
  const value = metadata[key];
  return typeof value === "string" ? value : "";
}

function labelsAt(metadata: Metadata, key: string): Readonly<Record<string, string>> {
  const value = metadata[key];
  if (typeof value !== "object" || value === null) return mergeLabels();
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return mergeLabels(Object.fromEntries(entries));
}
