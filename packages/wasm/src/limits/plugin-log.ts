import type { Clock } from "@mixerless/clock";
import type { PluginServices } from "../vm/services.ts";
import type { WasmLimits } from "./limits.ts";

/** How many seconds' worth of messages may come at once. */
const BURST = 10;

/** The messages of one plugin: only so many a second, each only so long. What is left out is counted. */
export class PluginLog {
  readonly #services: PluginServices;
  readonly #clock: Clock;
  readonly plugin: string;
  #allowance: number | null = null;
  #last = 0;
  #dropped = 0;

  constructor(services: PluginServices, plugin: string) {
    this.#services = services;
    this.#clock = services.clock;
    this.plugin = plugin;
  }

  /** False: it was left out because there were too many. `prefix` says which context speaks [proxy-wasm §17]. */
  write(level: number, prefix: string, message: string, limits: WasmLimits): boolean {
    if (level < this.#services.logLevel()) return true;
    if (!this.#allowed(limits.logRate)) {
      this.#dropped++;
      return false;
    }
    if (this.#dropped > 0) {
      const text = `wasm log ${this.plugin}: ${this.#dropped} messages were left out: more than ${limits.logRate} a second`;
      this.#dropped = 0;
      this.#services.log({ level: 3, text, plugin: this.plugin });
    }
    const text = Buffer.from(message.slice(0, limits.logBytes), "latin1").toString("utf8");
    const label = prefix.length > 0 ? `wasm log ${prefix}: ` : "wasm log: ";
    const cut = message.length > limits.logBytes ? " … (cut)" : "";
    this.#services.log({ level, text: label + text + cut, plugin: this.plugin });
    return true;
  }

  /** What the host itself has to say about the plugin; never left out. */
  host(level: number, text: string): void {
    if (level >= this.#services.logLevel()) this.#services.log({ level, text, plugin: this.plugin });
  }

  #allowed(rate: number): boolean {
    const now = this.#clock.monotonic();
    const full = rate * BURST;
    const left = this.#allowance ?? full;
    this.#allowance = Math.min(full, left + ((now - this.#last) * rate) / 1000);
    this.#last = now;
    if (this.#allowance < 1) return false;
    this.#allowance--;
    return true;
  }
}
