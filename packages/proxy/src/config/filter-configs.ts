import type { TypedExtensionConfig } from "@mixerless/wire/envoy/config/core/v3/extension";
import type { ConfigFault } from "../network/config-fault.ts";
import type { DiscoveredConfigs, DiscoveredPlace, PreparedConfig } from "../network/discovered-config.ts";

/** The filter configurations that arrive apart from their listeners (ECDS). */
export class FilterConfigs implements DiscoveredConfigs {
  readonly #places = new Map<string, Set<DiscoveredPlace>>();
  readonly #configs = new Map<string, TypedExtensionConfig>();
  readonly #onWarmed: () => void;

  /** `onWarmed` is called when a place has stopped waiting of its own accord. */
  constructor(onWarmed: () => void = () => {}) {
    this.#onWarmed = onWarmed;
  }

  /** What the filter chains ask for, those included that drain. */
  get names(): Set<string> {
    return new Set(this.#places.keys());
  }

  subscribe(name: string, place: DiscoveredPlace): () => void {
    const places = this.#places.get(name) ?? new Set();
    this.#places.set(name, places.add(place));
    const known = this.#configs.get(name)?.typedConfig;
    // One that fits other places only is, for this one, not there.
    if (known !== undefined) place.prepare(known, [])?.take();
    return () => {
      places.delete(place);
      if (places.size === 0 && this.#places.get(name) === places) this.#places.delete(name);
    };
  }

  gaveUp(): void {
    this.#onWarmed();
  }

  /** All places of that name take it, or with faults none does and what was before goes on. */
  set(config: TypedExtensionConfig): readonly ConfigFault[] {
    const { name, typedConfig } = config;
    if (typedConfig === undefined) return [{ path: "typedConfig", message: "is missing" }];
    const faults: ConfigFault[] = [];
    const prepared: PreparedConfig[] = [];
    for (const place of this.#places.get(name) ?? []) {
      const one = place.prepare(typedConfig, faults);
      if (one !== null) prepared.push(one);
    }
    for (const one of prepared) {
      if (faults.length === 0) one.take();
      else one.discard();
    }
    // One fault may stand against many places.
    if (faults.length > 0)
      return [...new Map(faults.map((fault) => [`${fault.path} ${fault.message}`, fault])).values()];
    this.#configs.set(name, config);
    return [];
  }

  remove(name: string): void {
    if (!this.#configs.delete(name)) return;
    for (const place of this.#places.get(name) ?? []) place.withdraw();
  }

  /** Forgets what is no longer asked for. Gives its names. */
  prune(): string[] {
    const gone = [...this.#configs.keys()].filter((name) => !this.#places.has(name));
    for (const name of gone) this.#configs.delete(name);
    return gone;
  }
}
