import type { IdentityErrorCode } from "@mixerless/identity";
import type { Counter, MetricStore } from "@mixerless/metrics";

/** The authority's series, by the names of Istio's [control-plane §6.6]. */
export class AuthorityMetrics {
  readonly #requests: Counter;
  readonly #issued: Counter;
  readonly #parsing: Counter;
  readonly #signing: Counter;
  readonly #authentication: Counter;
  readonly #expiry: { set(value: number): void };

  constructor(store: MetricStore) {
    const counter = (name: string, help: string) =>
      store.counter({ name: `citadel_server_${name}`, help, evictable: false }).series([], []);
    this.#requests = counter("csr_count", "Certificate signing requests.");
    this.#issued = counter("success_cert_issuance_count", "Certificates issued.");
    this.#parsing = counter("csr_parsing_err_count", "Requests that are no valid certificate signing request.");
    this.#signing = counter("csr_sign_err_count", "Requests that could not be signed.");
    this.#authentication = counter("authentication_failure_count", "Requests of callers that are not known.");
    const help = "When the root that signs expires, in seconds since the epoch.";
    this.#expiry = store
      .gauge({ name: "citadel_server_root_cert_expiry_timestamp", help, evictable: false })
      .series([], []);
  }

  requested(): void {
    this.#requests.add(1);
  }

  issued(): void {
    this.#issued.add(1);
  }

  /** Null: for a reason that is a bug. */
  failed(code: IdentityErrorCode | null): void {
    if (code === "bad-csr" || code === "lifetime-too-long") this.#parsing.add(1);
    else if (code === "bad-join-token" || code === "bad-certificate") this.#authentication.add(1);
    else this.#signing.add(1);
  }

  /** Milliseconds since the epoch. */
  rootExpires(time: number): void {
    this.#expiry.set(Math.floor(time / 1000));
  }
}
