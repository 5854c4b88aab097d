import type { Cluster as ClusterMessage } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { ClusterLoadAssignment } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import type { Cluster, ClusterManager } from "./cluster.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { type ClusterFault, compileCluster } from "./compile-cluster.ts";
import { compileEndpoints, type EndpointFault } from "./compile-endpoints.ts";
import { DnsDiscovery } from "./dns-discovery.ts";
import type { DnsResolver } from "./dns-resolver.ts";
import { type ClusterDependencies, UpstreamCluster } from "./upstream-cluster.ts";

export interface ClusterManagerDependencies extends ClusterDependencies {
  readonly resolve: DnsResolver;
  /** Called whenever a cluster became ready to serve, the set of warming ones changed with it. */
  readonly onWarmed?: (name: string) => void;
}

interface Managed {
  readonly cluster: UpstreamCluster;
  readonly dns: DnsDiscovery | null;
  warm: boolean;
}

/**
 * The clusters by name. A new cluster, or one whose way of discovery changed, warms beside the one that
 * serves until its first endpoints are known; only then it takes the name over, and the old one drains.
 */
export class ActiveClusterManager implements ClusterManager {
  readonly #dependencies: ClusterManagerDependencies;
  readonly #active = new Map<string, Managed>();
  readonly #warming = new Map<string, Managed>();
  /** The last assignment of each EDS service, for clusters that come after it. */
  readonly #assignments = new Map<string, ClusterLoadAssignment>();

  constructor(dependencies: ClusterManagerDependencies) {
    this.#dependencies = dependencies;
  }

  get(name: string): Cluster | null {
    return this.#active.get(name)?.cluster ?? null;
  }

  get clusters(): UpstreamCluster[] {
    return [...this.#active.values()].map((managed) => managed.cluster);
  }

  /** Names that cannot serve yet. A name may be here and active at once: the old cluster serves meanwhile. */
  get warming(): ReadonlySet<string> {
    return new Set(this.#warming.keys());
  }

  /** Service names whose assignments are needed, warming clusters included. */
  get edsNames(): Set<string> {
    const names = new Set<string>();
    for (const managed of [...this.#active.values(), ...this.#warming.values()]) {
      const { discovery } = managed.cluster.config;
      if (discovery.kind === "eds") names.add(discovery.serviceName);
    }
    return names;
  }

  /** Everything that stands against a cluster. Changes nothing. */
  check(message: ClusterMessage): readonly ClusterFault[] {
    const result = compileCluster(message);
    return "faults" in result ? result.faults : [];
  }

  /** Adds or replaces a cluster. With faults nothing has changed. */
  set(message: ClusterMessage): ClusterFault[] {
    const result = compileCluster(message);
    if ("faults" in result) return result.faults;
    const { config } = result;
    const current = this.#warming.get(config.name) ?? this.#active.get(config.name);
    if (current !== undefined && sameDiscovery(current.cluster.config, config)) {
      current.cluster.reconfigure(config);
      const { discovery } = config;
      if (discovery.kind === "static") current.cluster.updateHosts(discovery.endpoints, discovery.overprovisioning);
    } else {
      this.#warm(config);
    }
    return [];
  }

  /** Lets the requests of the cluster finish. Unknown names are ignored. */
  remove(name: string): void {
    this.#retire(this.#warming, name);
    this.#retire(this.#active, name);
    const needed = this.edsNames;
    for (const service of this.#assignments.keys()) if (!needed.has(service)) this.#assignments.delete(service);
  }

  /** Takes an EDS assignment in. With faults nothing has changed. */
  assign(assignment: ClusterLoadAssignment): EndpointFault[] {
    const { endpoints, overprovisioning, faults } = compileEndpoints(assignment);
    if (faults.length > 0) return faults;
    if (this.edsNames.has(assignment.clusterName)) this.#assignments.set(assignment.clusterName, assignment);
    for (const managed of [...this.#active.values(), ...this.#warming.values()]) {
      const { discovery } = managed.cluster.config;
      if (discovery.kind !== "eds" || discovery.serviceName !== assignment.clusterName) continue;
      managed.cluster.updateHosts(endpoints, overprovisioning);
      managed.cluster.stats.update_success++;
      this.#becameWarm(managed);
    }
    return [];
  }

  close(): void {
    for (const managed of [...this.#active.values(), ...this.#warming.values()]) {
      managed.dns?.close();
      managed.cluster.close();
    }
    this.#active.clear();
    this.#warming.clear();
  }

  #warm(config: ClusterConfig): void {
    this.#retire(this.#warming, config.name);
    const cluster = new UpstreamCluster(config, this.#dependencies);
    const { discovery } = config;
    let managed: Managed;
    if (discovery.kind === "strict-dns" || discovery.kind === "logical-dns") {
      const dns = new DnsDiscovery(discovery, this.#dependencies, {
        onHosts: (endpoints) => {
          cluster.updateHosts(endpoints, discovery.overprovisioning);
          this.#becameWarm(managed);
        },
        onOutcome: (success) => {
          if (success) cluster.stats.update_success++;
          else cluster.stats.update_failure++;
        },
      });
      managed = { cluster, dns, warm: false };
      this.#warming.set(config.name, managed);
      return;
    }
    managed = { cluster, dns: null, warm: false };
    this.#warming.set(config.name, managed);
    if (discovery.kind === "static") {
      cluster.updateHosts(discovery.endpoints, discovery.overprovisioning);
      this.#becameWarm(managed);
      return;
    }
    const known = discovery.kind === "eds" ? this.#assignments.get(discovery.serviceName) : undefined;
    if (known === undefined) return;
    const { endpoints, overprovisioning } = compileEndpoints(known);
    cluster.updateHosts(endpoints, overprovisioning);
    this.#becameWarm(managed);
  }

  #becameWarm(managed: Managed): void {
    if (managed.warm) return;
    const { name } = managed.cluster;
    if (this.#warming.get(name) !== managed) return;
    managed.warm = true;
    this.#warming.delete(name);
    this.#retire(this.#active, name);
    this.#active.set(name, managed);
    this.#dependencies.onWarmed?.(name);
  }

  #retire(from: Map<string, Managed>, name: string): void {
    const managed = from.get(name);
    if (managed === undefined) return;
    from.delete(name);
    managed.dns?.close();
    managed.cluster.drain();
  }
}

/** Whether hosts and connections may stay when a cluster's configuration is replaced. */
function sameDiscovery(a: ClusterConfig, b: ClusterConfig): boolean {
  if (a.sockets.identity !== b.sockets.identity) return false;
  if (a.discovery.kind === "static" && b.discovery.kind === "static") return true;
  return JSON.stringify(a.discovery) === JSON.stringify(b.discovery);
}
