import type { Clock, Timer } from "@mixerless/clock";
import { type CompiledListener, chainsOf } from "./compile-listener.ts";

export interface PatienceTimes {
  /** Milliseconds that new chains wait for clusters that warm. */
  readonly clusterPatience: number;
  /** Milliseconds that they wait for filters that are starting. */
  readonly pluginPatience: number;
}

/** How long new chains wait for what they need while the ones before serve. */
export class SwapPatience {
  readonly #timers: readonly Timer[];
  #clusters = true;
  #filters = true;

  /** `onOver` is called each time that something is waited for no longer. */
  constructor(clock: Clock, { clusterPatience, pluginPatience }: PatienceTimes, onOver: () => void) {
    const clusters = clock.after(clusterPatience, () => {
      this.#clusters = false;
      onOver();
    });
    const filters = clock.after(pluginPatience, () => {
      this.#filters = false;
      onOver();
    });
    this.#timers = [clusters, filters];
  }

  /** Whether there is something that is worth waiting for. */
  waitsFor(config: CompiledListener, isWarming: (cluster: string) => boolean): boolean {
    for (const { factory } of chainsOf(config)) {
      if (this.#clusters && factory.clusterNames.some(isWarming)) return true;
      if (this.#filters && factory.starting) return true;
    }
    return false;
  }

  cancel(): void {
    for (const timer of this.#timers) timer.cancel();
  }
}
