import type { Message } from "@bufbuild/protobuf";
import type { Clock, Timer } from "@mixerless/clock";
import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { TypedExtensionConfig } from "@mixerless/wire/envoy/config/core/v3/extension";
import type { ClusterLoadAssignment } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import type { ListenerManager } from "../listener/listener-manager.ts";
import { type ConfigFault, describeFaults } from "../network/config-fault.ts";
import type { ActiveClusterManager } from "../upstream/active-cluster-manager.ts";
import type { ConfigRegistry } from "./config-registry.ts";
import type { FilterConfigs } from "./filter-configs.ts";
import type { ResourceKind } from "./resource-kinds.ts";
import type { RouteManager } from "./route-manager.ts";

/** A resource of one update, decoded and checked field by field already. */
export interface IncomingResource {
  readonly name: string;
  readonly version: string;
  /** Null when decoding or the check of fields gave faults. */
  readonly message: Message | null;
  readonly faults: readonly ConfigFault[];
}

export interface IncomingUpdate {
  readonly kind: ResourceKind;
  readonly version: string;
  readonly resources: readonly IncomingResource[];
  readonly removed: readonly string[];
}

/** Why one resource of an update was not taken. */
export interface RefusedUpdate {
  readonly name: string;
  readonly faults: readonly ConfigFault[];
}

export interface IntakeDependencies {
  readonly clock: Clock;
  readonly clusters: ActiveClusterManager;
  readonly listeners: ListenerManager;
  readonly routes: RouteManager;
  readonly filterConfigs: FilterConfigs;
  readonly registry: ConfigRegistry;
  /** Says which resources of a kind are wanted from now on; replaces what was said before. */
  readonly subscribe: (kind: ResourceKind, names: ReadonlySet<string> | "*") => void;
  /** Milliseconds that a removed cluster still serves routes which are about to change. */
  readonly clusterRemovalGrace: number;
}

/**
 * Takes configuration in, in the order that keeps traffic flowing: clusters, their endpoints, then the
 * listeners that name them, then routes. What cannot be taken is refused by name and the version
 * before it goes on serving; its neighbours in the same update are taken.
 */
export class ResourceIntake {
  readonly #dependencies: IntakeDependencies;
  readonly #removals = new Map<string, Timer>();
  #clustersSeen = false;
  #listenersAsked = false;
  #listenersSeen = false;
  #edsNames = "";
  #rdsNames = "";
  #ecdsNames = "";

  constructor(dependencies: IntakeDependencies) {
    this.#dependencies = dependencies;
  }

  /** Asks for the first resources. */
  start(): void {
    this.#dependencies.subscribe("cluster", "*");
  }

  /** Whether a first answer for clusters and for listeners has come. */
  get initialized(): boolean {
    return this.#clustersSeen && this.#listenersSeen;
  }

  apply(update: IncomingUpdate): RefusedUpdate[] {
    const { registry, listeners } = this.#dependencies;
    const refused: RefusedUpdate[] = [];
    // Listeners go first, so that one that is only renamed finds its address free [as Envoy].
    if (update.kind === "listener") for (const name of update.removed) this.#remove(update.kind, name);
    for (const resource of update.resources) {
      const faults = resource.message === null ? resource.faults : this.#take(update.kind, resource.message);
      if (resource.message !== null && faults.length === 0) {
        registry.take(update.kind, resource.name, resource.message, resource.version, true);
        continue;
      }
      refused.push({ name: resource.name, faults });
      registry.refuse(update.kind, resource.name, resource.version, describeFaults(faults));
    }
    if (update.kind === "listener") listeners.releaseSockets();
    else for (const name of update.removed) this.#remove(update.kind, name);
    registry.setVersion(update.kind, update.version);
    this.#followUp(update.kind);
    return refused;
  }

  /** To be called when a cluster has become ready. */
  clusterWarmed(): void {
    this.#dependencies.routes.clustersChanged();
    this.#dependencies.listeners.dependenciesChanged();
    this.#askForListeners();
  }

  close(): void {
    for (const timer of this.#removals.values()) timer.cancel();
  }

  #take(kind: ResourceKind, message: Message): readonly ConfigFault[] {
    const { clusters, listeners, routes, filterConfigs } = this.#dependencies;
    switch (kind) {
      case "cluster":
        this.#removals.get((message as Cluster).name)?.cancel();
        return clusters.set(message as Cluster);
      case "endpoints":
        return clusters.assign(message as ClusterLoadAssignment);
      case "listener":
        return listeners.set(message as Listener);
      case "routes":
        return routes.set(message as RouteConfiguration);
      case "extension":
        return filterConfigs.set(message as TypedExtensionConfig);
    }
  }

  #remove(kind: ResourceKind, name: string): void {
    const { clusters, listeners, routes, filterConfigs, registry, clock, clusterRemovalGrace } = this.#dependencies;
    registry.remove(kind, name);
    switch (kind) {
      case "cluster":
        // Clusters come first in a push, so routes may name this one for a moment longer.
        this.#removals.get(name)?.cancel();
        this.#removals.set(
          name,
          clock.after(clusterRemovalGrace, () => {
            this.#removals.delete(name);
            clusters.remove(name);
            routes.clustersChanged();
            listeners.dependenciesChanged();
            this.#subscribeEndpoints();
          }),
        );
        return;
      case "listener":
        listeners.remove(name);
        return;
      case "routes":
        // A listener that still names it keeps the last table.
        if (!listeners.routeNames.has(name)) routes.remove(name);
        return;
      case "extension":
        filterConfigs.remove(name);
        return;
      case "endpoints":
        // Not a removal of hosts: the cluster keeps what it has until it is told otherwise.
        return;
    }
  }

  #followUp(kind: ResourceKind): void {
    switch (kind) {
      case "cluster":
        this.#clustersSeen = true;
        this.#subscribeEndpoints();
        this.#askForListeners();
        return;
      case "endpoints":
        this.#askForListeners();
        return;
      case "listener":
        this.#listenersSeen = true;
        this.#subscribeRoutes();
        this.#subscribeFilterConfigs();
        return;
      case "routes":
      case "extension":
        this.#dependencies.listeners.dependenciesChanged();
        return;
    }
  }

  #subscribeEndpoints(): void {
    const names = this.#dependencies.clusters.edsNames;
    const key = [...names].sort().join("\0");
    if (key === this.#edsNames) return;
    this.#edsNames = key;
    this.#dependencies.subscribe("endpoints", names);
  }

  #subscribeRoutes(): void {
    const names = this.#dependencies.listeners.routeNames;
    const key = [...names].sort().join("\0");
    if (key === this.#rdsNames) return;
    this.#rdsNames = key;
    this.#dependencies.subscribe("routes", names);
  }

  #subscribeFilterConfigs(): void {
    const { filterConfigs, registry, subscribe } = this.#dependencies;
    for (const name of filterConfigs.prune()) registry.remove("extension", name);
    const { names } = filterConfigs;
    const key = [...names].sort().join("\0");
    if (key === this.#ecdsNames) return;
    this.#ecdsNames = key;
    subscribe("extension", names);
  }

  /** Listeners are asked for once the clusters that they may name can serve. */
  #askForListeners(): void {
    if (this.#listenersAsked || !this.#clustersSeen || this.#dependencies.clusters.warming.size > 0) return;
    this.#listenersAsked = true;
    this.#dependencies.subscribe("listener", "*");
  }
}
