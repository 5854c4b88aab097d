import type { SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import type { Clock, Timer } from "@mixerless/clock";
import { CONTROL_PLANE_NAME, createKeyAndRequest, renewalDelay } from "@mixerless/identity";
import type { CertificateAuthority } from "@mixerless/identity/authority";

export interface OwnCertificateOptions {
  readonly authority: Pick<CertificateAuthority, "issue">;
  /** PEM of the roots that clients' certificates may lead to. */
  readonly roots: () => readonly string[];
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

interface OwnPair {
  readonly cert: string;
  readonly key: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** PEM. */
  readonly root: string;
}

const DNS_NAMES = [CONTROL_PLANE_NAME, "istiod.istio-system", "istio-pilot.istio-system.svc"];
const NAMESPACE = "istio-system";
const SERVICE_ACCOUNT = "istiod";
/** Wall clocks jump and machines sleep: no timer is trusted for longer. Milliseconds. */
const LOOK_INTERVAL = 5000;
/** Milliseconds until another try when the authority could not sign for us. */
const RETRY = 10_000;

/** The control plane's certificate, made by its own authority and renewed in time. Its key stays in memory. */
export class OwnCertificate {
  readonly #options: OwnCertificateOptions;
  readonly #credentials: ChangingCredentials;
  #pair: OwnPair;
  #timer: Timer | null = null;
  #closed = false;

  private constructor(options: OwnCertificateOptions, pair: OwnPair) {
    this.#options = options;
    this.#pair = pair;
    this.#credentials = new ChangingCredentials(this.#context());
    this.#schedule();
  }

  static async create(options: OwnCertificateOptions): Promise<OwnCertificate> {
    return new OwnCertificate(options, await request(options));
  }

  /** What the secure port shows and asks for, always the newest. */
  get credentials(): ServerCredentials {
    return this.#credentials;
  }

  /** Clients with certificates under other roots than before are known from now on. Under a root that is dropped nothing is shown. */
  rootsChanged(): void {
    this.#credentials.change(this.#context());
    if (this.#options.roots().includes(this.#pair.root)) return;
    this.#timer?.cancel();
    void this.#renew();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #context(): SecureContextOptions {
    const { cert, key } = this.#pair;
    return { cert, key, ca: this.#options.roots().join("") };
  }

  #schedule(): void {
    const { clock } = this.#options;
    const delay = renewalDelay(this.#pair, clock.now(), 0.5);
    this.#look(clock.now() + delay, clock.monotonic() + delay);
  }

  /** Renews when it is time by one of the clocks, or when the wall clock is before the certificate. */
  #look(due: number, dueMonotonic: number): void {
    const { clock } = this.#options;
    const now = clock.now();
    const left = now < this.#pair.notBefore ? 0 : Math.min(due - now, dueMonotonic - clock.monotonic());
    if (left <= 0) void this.#renew();
    else this.#timer = clock.after(Math.min(LOOK_INTERVAL, left), () => this.#look(due, dueMonotonic));
  }

  async #renew(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      this.#pair = await request(this.#options);
      if (this.#closed) return;
      this.#credentials.change(this.#context());
      this.#schedule();
    } catch (error) {
      if (this.#closed) return;
      log(`The control plane's own certificate could not be renewed: ${(error as Error).message}`);
      this.#timer = clock.after(RETRY, () => void this.#renew());
    }
  }
}

async function request({ authority, trustDomain }: OwnCertificateOptions): Promise<OwnPair> {
  const identity = { trustDomain, namespace: NAMESPACE, serviceAccount: SERVICE_ACCOUNT };
  const { key, csr } = await createKeyAndRequest(identity);
  const { chain, notBefore, notAfter } = await authority.issue(csr, identity, 0, DNS_NAMES);
  return { cert: chain.slice(0, -1).join(""), key, notBefore, notAfter, root: chain.at(-1) ?? "" };
}

/**
 * Asks every client for a certificate and lets those without one in: a token may say who they are. What is shown and
 * asked for can change while connections last.
 */
class ChangingCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions) {
    super({ requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.2" }, context);
  }

  change(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}
