import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { ListenerManager } from "../listener/listener-manager.ts";
import { addFaults, type ConfigFault } from "../network/config-fault.ts";
import type { ActiveClusterManager } from "../upstream/active-cluster-manager.ts";
import type { ConfigRegistry } from "./config-registry.ts";

/** A bootstrap asks for something that this data plane cannot do. `message` lists every field. */
export class BootstrapError extends Error {
  readonly code = "PROXY_BOOTSTRAP_REFUSED";
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(`The bootstrap was refused:\n${faults.map((fault) => `  ${fault.path}: ${fault.message}`).join("\n")}`);
    this.faults = faults;
  }
}

/** Everything that the compilers of clusters and listeners have against the static resources. Nothing is changed. */
export function checkStatic(
  bootstrap: Bootstrap,
  clusters: ActiveClusterManager,
  listeners: ListenerManager,
): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const resources = bootstrap.staticResources;
  resources?.clusters.forEach((cluster, i) => {
    addFaults(faults, `staticResources.clusters[${i}]`, clusters.check(cluster));
  });
  resources?.listeners.forEach((listener, i) => {
    addFaults(faults, `staticResources.listeners[${i}]`, listeners.check(listener));
  });
  return faults;
}

/**
 * Takes the static clusters and listeners in. Throws {@link BootstrapError} when one is refused, or something else of
 * the bootstrap was (`others`); all are checked before the first of them looks up a name or binds a port.
 */
export function applyStatic(
  bootstrap: Bootstrap,
  clusters: ActiveClusterManager,
  listeners: ListenerManager,
  registry: ConfigRegistry,
  others: readonly ConfigFault[],
): void {
  const faults = [...checkStatic(bootstrap, clusters, listeners), ...others];
  if (faults.length > 0) throw new BootstrapError(faults);
  for (const cluster of bootstrap.staticResources?.clusters ?? []) {
    clusters.set(cluster);
    registry.take("cluster", cluster.name, cluster, "", false);
  }
  for (const [i, listener] of (bootstrap.staticResources?.listeners ?? []).entries()) {
    const named = listener.name === "" ? { ...listener, name: `listener_${i}` } : listener;
    listeners.set(named);
    registry.take("listener", named.name, named, "", false);
  }
}
