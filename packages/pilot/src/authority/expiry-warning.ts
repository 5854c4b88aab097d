import type { Clock } from "@mixerless/clock";
import type { Signer } from "@mixerless/identity/authority";

const DAY = 86_400_000;
/** An operator needs time to have an authority renewed. */
const NEAR = 30 * DAY;

/** Tells once a day that what signs will soon have expired: an operator's files do not follow themselves. */
export class ExpiryWarning {
  readonly #clock: Clock;
  readonly #log: (message: string) => void;
  #told = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, log: (message: string) => void) {
    this.#clock = clock;
    this.#log = log;
  }

  look({ facts, rootFacts }: Pick<Signer, "facts" | "rootFacts">): void {
    const now = this.#clock.now();
    const end = Math.min(facts.notAfter, rootFacts.notAfter);
    // One that was made for a short life is near its end all the time.
    const near = Math.min(NEAR, (facts.notAfter - facts.notBefore) / 10);
    if (end - now > near || now - this.#told < DAY) return;
    this.#told = now;
    const when = new Date(end).toISOString();
    const done = end <= now ? "expired at" : "expires at";
    this.#log(`The mesh's signing certificate ${done} ${when}; no workload gets a certificate that lasts longer.`);
  }
}
