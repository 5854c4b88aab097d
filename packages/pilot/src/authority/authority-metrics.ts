import type { IdentityErrorCode } from "@mixerless/identity";
import type { Signer } from "@mixerless/identity/authority";
import type { Counter, MetricStore } from "@mixerless/metrics";

interface Expiry {
  readonly at: { set(value: number): void };
  readonly left: { set(value: number): void };
}

/** The authority's series, by the names of Istio's [control-plane §6.6]. */
export class AuthorityMetrics {
  readonly #requests: Counter;
  readonly #issued: Counter;
  readonly #parsing: Counter;
  readonly #signing: Counter;
  readonly #authentication: Counter;
  readonly #expiries: readonly [root: Expiry, chain: Expiry];
  readonly #now: () => number;

  constructor(store: MetricStore, now: () => number) {
    this.#now = now;
    const counter = (name: string, help: string) =>
      store.counter({ name: `citadel_server_${name}`, help, evictable: false }).series([], []);
    this.#requests = counter("csr_count", "Certificate signing requests.");
    this.#issued = counter("success_cert_issuance_count", "Certificates issued.");
    this.#parsing = counter("csr_parsing_err_count", "Requests that are no valid certificate signing request.");
    this.#signing = counter("csr_sign_err_count", "Requests that could not be signed.");
    this.#authentication = counter("authentication_failure_count", "Requests of callers that are not known.");
    const gauge = (name: string, help: string) =>
      store.gauge({ name: `citadel_server_${name}`, help, evictable: false }).series([], []);
    const expiry = (name: string, what: string): Expiry => ({
      at: gauge(`${name}_expiry_timestamp`, `When ${what} expires, in seconds since the epoch.`),
      left: gauge(`${name}_expiry_seconds`, `Seconds until ${what} expires; negative when it has.`),
    });
    this.#expiries = [
      expiry("root_cert", "the root of what is signed now"),
      expiry("cert_chain", "the certificate that signs"),
    ];
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

  /** Another one signs, or time has passed. */
  signerChanged({ facts, rootFacts }: Pick<Signer, "facts" | "rootFacts">): void {
    const [root, chain] = this.#expiries;
    const now = this.#now();
    for (const [{ at, left }, { notAfter }] of [[root, rootFacts] as const, [chain, facts] as const]) {
      at.set(Math.floor(notAfter / 1000));
      left.set(Math.floor((notAfter - now) / 1000));
    }
  }
}
