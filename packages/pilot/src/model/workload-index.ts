import { byAge, type ConfigObject } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import { mergeLabels, selectorMatches } from "./labels.ts";
import { localityOfLabels, parseLocality, UNKNOWN_LOCALITY } from "./locality.ts";
import type { ProxyNode } from "./proxy-node.ts";
import type { Workload } from "./workload.ts";
import { canonicalName, canonicalRevision, podWorkloadName, workloadEntryName } from "./workload-names.ts";

const NETWORK_LABEL = "topology.istio.io/network";
const HEALTH_CHECKED = "proxy.istio.io/health-checks-enabled";
const TLS_MODE_LABEL = "security.istio.io/tlsMode";

/** All Pods and WorkloadEntries, by name, address and namespace. */
export class WorkloadIndex {
  /** Oldest first. */
  readonly all: readonly Workload[];
  readonly #byName = new Map<string, Workload>();
  readonly #byAddress = new Map<string, Workload[]>();
  readonly #byNamespace = new Map<string, Workload[]>();

  constructor(snapshot: ConfigSnapshot, clusterId: string) {
    const pods = snapshot.list("Pod").map((pod) => podWorkload(pod, clusterId));
    const entries = snapshot.list("WorkloadEntry").map((entry) => entryWorkload(entry, clusterId));
    this.all = [...pods, ...entries].sort((a, b) => byAge(a.config, b.config));
    for (const workload of this.all) {
      for (const address of workload.addresses) append(this.#byAddress, address, workload);
      append(this.#byNamespace, workload.namespace, workload);
    }
    // A Pod goes before a WorkloadEntry of the same name.
    for (const workload of [...entries, ...pods]) this.#byName.set(`${workload.namespace}/${workload.name}`, workload);
  }

  named(namespace: string, name: string): Workload | undefined {
    return this.#byName.get(`${namespace}/${name}`);
  }

  /** Those in a namespace whose labels cover the selector, oldest first. */
  selected(namespace: string, selector: Readonly<Record<string, string>>): readonly Workload[] {
    const candidates = this.#byNamespace.get(namespace) ?? [];
    return candidates.filter((workload) => selectorMatches(selector, workload.labels));
  }

  /** The oldest one of a namespace that has an address. */
  addressed(namespace: string, address: string): Workload | undefined {
    return this.#byAddress.get(address)?.find((workload) => workload.namespace === namespace);
  }

  /**
   * The workload of a proxy. The name goes first: with everything on one loopback address, addresses tell
   * nothing; and an address counts only when one workload of the namespace, or one of all, has it.
   */
  of(proxy: ProxyNode): Workload | undefined {
    const named = this.named(proxy.namespace, proxy.name);
    if (named !== undefined) return named;
    for (const address of proxy.ipAddresses) {
      const everywhere = this.#byAddress.get(address) ?? [];
      const near = everywhere.filter((workload) => workload.namespace === proxy.namespace);
      const [only, second] = near.length > 0 ? near : everywhere;
      if (only !== undefined && second === undefined) return only;
    }
    return undefined;
  }
}

function podWorkload(pod: ConfigObject<"Pod">, clusterId: string): Workload {
  const { labels } = pod.metadata;
  const workloadName = podWorkloadName(pod);
  const istio = labels[TLS_MODE_LABEL] === "istio" || (labels[TLS_MODE_LABEL] === undefined && pod.spec.hasSidecar);
  return Object.freeze<Workload>({
    name: pod.name,
    namespace: pod.namespace,
    labels,
    addresses: pod.spec.podIPs,
    workloadName,
    canonicalName: canonicalName(labels, workloadName),
    canonicalRevision: canonicalRevision(labels),
    serviceAccount: pod.spec.serviceAccountName,
    network: labels[NETWORK_LABEL] ?? "",
    clusterId,
    locality: localityOfLabels(labels) ?? UNKNOWN_LOCALITY,
    weight: 1,
    ready: pod.spec.ready && !pod.spec.terminal,
    tlsMode: istio ? "istio" : "disabled",
    containerPorts: pod.spec.containerPorts,
    namedPorts: {},
    config: pod,
  });
}

function entryWorkload(entry: ConfigObject<"WorkloadEntry">, clusterId: string): Workload {
  const { spec } = entry;
  // As upstream: labels of the object win over those of its spec.
  const labels = mergeLabels(spec.labels, entry.metadata.labels);
  const workloadName = workloadEntryName(entry, labels);
  return Object.freeze<Workload>({
    name: entry.name,
    namespace: entry.namespace,
    labels,
    addresses: spec.address === "" ? [] : [spec.address],
    workloadName,
    canonicalName: canonicalName(labels, workloadName),
    canonicalRevision: canonicalRevision(labels),
    serviceAccount: spec.serviceAccount,
    network: spec.network || (labels[NETWORK_LABEL] ?? ""),
    clusterId,
    locality: spec.locality === "" ? (localityOfLabels(labels) ?? UNKNOWN_LOCALITY) : parseLocality(spec.locality),
    weight: Math.max(spec.weight, 1),
    ready: isHealthy(entry),
    tlsMode: labels[TLS_MODE_LABEL] === "istio" ? "istio" : "disabled",
    containerPorts: [],
    namedPorts: spec.ports,
    config: entry,
  });
}

/** As upstream: an entry whose agent probes the application counts once its status says that it is well. */
function isHealthy({ metadata, raw }: ConfigObject<"WorkloadEntry">): boolean {
  if (metadata.annotations[HEALTH_CHECKED] !== "true") return true;
  const { conditions } = (raw.status ?? {}) as { conditions?: unknown };
  if (!Array.isArray(conditions)) return false;
  return conditions.some(
    (condition: unknown) =>
      typeof condition === "object" &&
      condition !== null &&
      "type" in condition &&
      "status" in condition &&
      condition.type === "Healthy" &&
      condition.status === "True",
  );
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
