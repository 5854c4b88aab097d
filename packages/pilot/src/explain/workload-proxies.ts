import { create } from "@bufbuild/protobuf";
import { NodeSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import type { ConfigObject } from "../config/config-object.ts";
import { selectorMatches } from "../model/labels.ts";
import { parseProxyNode } from "../model/parse-proxy-node.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";

/** The proxies that the workloads of a configuration would have, as far as the configuration tells. */
export function workloadProxies(push: PushContext, istioVersion: string): ProxyNode[] {
  const pods = push
    .configs("Pod")
    .map((pod) => proxyOf(push, pod, pod.spec.podIPs[0], pod.metadata.labels, istioVersion));
  const entries = push
    .configs("WorkloadEntry")
    .map((entry) => proxyOf(push, entry, entry.spec.address, entry.spec.labels, istioVersion));
  return [...pods, ...entries].filter((proxy) => proxy !== null);
}

function proxyOf(
  push: PushContext,
  { name, namespace }: ConfigObject,
  address: string | undefined,
  labels: Readonly<Record<string, string>>,
  istioVersion: string,
): ProxyNode | null {
  const isGateway = push.allGateways.some(({ config }) => selectorMatches(config.spec.selector, labels));
  const type = isGateway ? "router" : "sidecar";
  const node = create(NodeSchema, {
    id: `${type}~${address ?? ""}~${name}.${namespace}~${namespace}.svc.${push.clusterDomain}`,
    userAgentName: "mixerless",
    metadata: { NAMESPACE: namespace, ISTIO_VERSION: istioVersion, INTERCEPTION_MODE: "NONE", LABELS: { ...labels } },
  });
  const proxy = parseProxyNode(node);
  return typeof proxy === "string" ? null : proxy;
}
