import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { ListenerManager } from "../listener/listener-manager.ts";
import type { ConfigFault } from "../network/config-fault.ts";
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

/** Takes the static clusters and listeners in. Throws {@link BootstrapError} before anything accepts when one is refused. */
export function applyStatic(
  bootstrap: Bootstrap,
  clusters: ActiveClusterManager,
  listeners: ListenerManager,
  registry: ConfigRegistry,
): void {
  const faults: ConfigFault[] = [];
  const collect = (path: string, found: readonly ConfigFault[]) => {
    for (const fault of found) faults.push({ path: `${path}.${fault.path}`, message: fault.message });
  };
  const resources = bootstrap.staticResources;
  resources?.clusters.forEach((cluster, i) => {
    collect(`staticResources.clusters[${i}]`, clusters.set(cluster));
    registry.take("cluster", cluster.name, cluster, "", false);
  });
  if (faults.length > 0) throw new BootstrapError(faults);
  resources?.listeners.forEach((listener, i) => {
    collect(`staticResources.listeners[${i}]`, listeners.set(listener));
    registry.take("listener", listener.name, listener, "", false);
  });
  if (faults.length > 0) {
    listeners.close();
    throw new BootstrapError(faults);
  }
}
