import { isIP } from "node:net";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";

const proxyTypes = new Set(["sidecar", "router", "waypoint", "ztunnel", "agentgateway"]);

/** What a node id says: `type~ip~name.namespace~dnsdomain` [control-plane §4.1]. */
export interface NodeIdentity {
  readonly type: string;
  /** At least one, all well formed. */
  readonly addresses: readonly string[];
  /** By convention `<workload instance>.<namespace>`; the key by which people name a proxy. */
  readonly name: string;
  readonly dnsDomain: string;
  /** Metadata NAMESPACE, else the first label of the DNS domain, else "". */
  readonly namespace: string;
}

/** Reads a node's identity, or says why it has none. */
export function parseNode(node: Node): NodeIdentity | { readonly fault: string } {
  const parts = node.id.split("~");
  const [type, address, name, dnsDomain] = parts;
  if (parts.length !== 4 || type === undefined || address === undefined || name === undefined) {
    return { fault: `node id ${quote(node.id)} is not of the form type~ip~name.namespace~dnsdomain` };
  }
  if (!proxyTypes.has(type)) {
    return {
      fault: `node id ${quote(node.id)} has the unknown type ${quote(type)}; known: ${[...proxyTypes].join(", ")}`,
    };
  }
  const addresses = instanceAddresses(node) ?? [address];
  const bad = addresses.find((candidate) => isIP(candidate) === 0);
  if (bad !== undefined) {
    return { fault: `node ${quote(node.id)} has no valid IP address in its id or in INSTANCE_IPS: ${quote(bad)}` };
  }
  return { type, addresses, name, dnsDomain: dnsDomain ?? "", namespace: namespaceOf(node, dnsDomain ?? "") };
}

/** INSTANCE_IPS if every entry parses; otherwise the id decides, as upstream has it. */
function instanceAddresses(node: Node): string[] | null {
  const list = node.metadata?.INSTANCE_IPS;
  if (typeof list !== "string" || list === "") return null;
  const addresses = list.split(",").map((entry) => entry.trim());
  return addresses.every((entry) => isIP(entry) !== 0) ? addresses : null;
}

function namespaceOf(node: Node, dnsDomain: string): string {
  const namespace = node.metadata?.NAMESPACE;
  if (typeof namespace === "string" && namespace !== "") return namespace;
  const labels = dnsDomain.split(".");
  return labels.length >= 2 && labels[1] === "svc" ? (labels[0] ?? "") : "";
}

/** For messages: bounded, and without control characters. */
function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
