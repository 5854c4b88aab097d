import { isIP } from "node:net";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";
import { hasIdentity } from "./tls/mesh-identity.ts";

/**
 * What proxies with the same outlook share, for one revision of the configuration: a resource is made, and
 * later encoded, once for all of them.
 */
export class GenerationMemo {
  readonly #made = new Map<string, unknown>();
  readonly #identities = new WeakMap<object, number>();
  readonly #outlooks = new WeakMap<ProxyNode, string>();
  readonly #push: PushContext;
  readonly #labelsMatter: boolean;
  #nextIdentity = 0;

  constructor(push: PushContext) {
    this.#push = push;
    this.#labelsMatter = dependsOnLabels(push);
  }

  get<T>(key: string, make: () => T): T {
    const known = this.#made.get(key);
    if (known !== undefined) return known as T;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  /** A number that stands for an object of this revision. */
  identity(object: object): number {
    let identity = this.#identities.get(object);
    if (identity === undefined) {
      identity = this.#nextIdentity++;
      this.#identities.set(object, identity);
    }
    return identity;
  }

  /** Everything about a proxy that clusters, endpoints and routes for it may depend on, its scope apart. */
  outlook(proxy: ProxyNode): string {
    let outlook = this.#outlooks.get(proxy);
    if (outlook === undefined) {
      const { type, namespace, dnsDomain, locality, userAgentName } = proxy;
      const families = [...new Set(proxy.ipAddresses.map(isIP))].sort().join();
      const labels = this.#labelsMatter ? JSON.stringify(Object.entries(this.#push.labelsOf(proxy)).sort()) : "";
      const { region, zone, subzone } = locality;
      const identity = hasIdentity(this.#push, proxy);
      const place = `${region}/${zone}/${subzone}`;
      outlook = [
        type,
        namespace,
        dnsDomain,
        families,
        place,
        userAgentName,
        proxy.metadata.MIXERLESS_TELEMETRY,
        identity,
        labels,
      ].join("|");
      this.#outlooks.set(proxy, outlook);
    }
    return outlook;
  }
}

/** Labels of the client decide only where an object asks for them. */
function dependsOnLabels(push: PushContext): boolean {
  const asks = (spec: object) =>
    /"(sourceLabels":\{"|workloadSelector"|failoverPriority":\[")/.test(JSON.stringify(spec));
  return (
    asks(push.mesh) ||
    push.configs("VirtualService").some(({ spec }) => asks(spec)) ||
    push.configs("DestinationRule").some(({ spec }) => asks(spec))
  );
}
