import { Agent, request } from "node:http";
import type { Clock, Timer } from "@mixerless/clock";

export interface TrafficOptions {
  readonly clock: Clock;
  readonly target: { readonly ip: string; readonly port: number };
  /** Page views a second. */
  readonly rate: number;
  readonly seed: number;
}

/** Page views through the ingress, evenly spread with a little jitter, and nothing else. */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  #state: number;
  #timer: Timer | null = null;
  sent = 0;
  failed = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#state = options.seed >>> 0;
  }

  start(): void {
    const pause = 1000 / this.#options.rate;
    const jitter = 0.5 + this.#random();
    this.#timer = this.#options.clock.after(pause * jitter, () => {
      this.#view();
      this.start();
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#agent.destroy();
  }

  #view(): void {
    const { ip, port } = this.#options.target;
    this.sent++;
    const call = request({ host: ip, port, path: "/productpage", agent: this.#agent }, (response) => {
      if (response.statusCode !== 200) this.failed++;
      response.resume();
    });
    call.on("error", () => {
      this.failed++;
    });
    call.end();
  }

  /** Reproducible chance (linear congruential, period 2³²). */
  #random(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 0x1_0000_0000;
  }
}
