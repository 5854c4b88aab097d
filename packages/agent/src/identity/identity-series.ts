import type { Clock } from "@mixerless/clock";
import type { Counter, Gauge, MetricStore } from "@mixerless/metrics";

const REQUEST = ["request_type"];
const CSR = ["csr"];

/** The agent's series about certificates, by the names of Istio's agent. */
export class IdentitySeries {
  readonly #clock: Clock;
  readonly #asked: Counter;
  readonly #failed: Counter;
  readonly #expiry: { series(labels: readonly string[], values: readonly string[]): Gauge };
  readonly #expiries = new Map<string, number>();

  constructor(store: MetricStore, clock: Clock) {
    this.#clock = clock;
    const counter = (name: string, help: string) =>
      store.counter({ name: `istio_agent_${name}`, help, evictable: false }).series(REQUEST, CSR);
    this.#asked = counter("num_outgoing_requests", "Requests to the control plane's certificate service.");
    this.#failed = counter("num_failed_outgoing_requests", "Requests to it that failed.");
    this.#expiry = store.gauge({
      name: "istio_agent_cert_expiry_seconds",
      help: "Seconds until the certificate, or the first of the roots, expires; negative when it has.",
      evictable: false,
    });
  }

  asked(): void {
    this.#asked.add(1);
  }

  failed(): void {
    this.#failed.add(1);
  }

  /** Milliseconds since the epoch. */
  expires(secret: string, notAfter: number): void {
    this.#expiries.set(secret, notAfter);
    this.observe();
  }

  /** Brings the times left up to date. */
  observe(): void {
    const now = this.#clock.now();
    for (const [secret, notAfter] of this.#expiries)
      this.#expiry.series(["resource_name"], [secret]).set(Math.floor((notAfter - now) / 1000));
  }
}
