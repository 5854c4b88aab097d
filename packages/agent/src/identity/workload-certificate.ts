import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Clock, Timer } from "@mixerless/clock";
import {
  type CertificateFacts,
  createKeyAndRequest,
  formatSpiffeId,
  readCertificate,
  renewalDelay,
  type SpiffeId,
  signRenewal,
  splitCertificates,
} from "@mixerless/identity";
import type { SecretStore } from "@mixerless/proxy";
import { Backoff, DEFAULT_BACKOFF } from "@mixerless/xds";
import type { Proof, RequestCertificate } from "./certificate-client.ts";
import type { IdentitySeries } from "./identity-series.ts";

export interface WorkloadCertificateOptions {
  /** Whose certificate is wanted; which trust domain that is, the authority says. */
  readonly workload: Pick<SpiffeId, "namespace" | "serviceAccount">;
  readonly request: RequestCertificate;
  /** Gives the join token of the moment. */
  readonly token: () => Promise<string>;
  /** Gives the PEM of the roots to begin with. */
  readonly roots: () => Promise<string>;
  /** Where the data plane looks for `default` and `ROOTCA`. */
  readonly secrets: Pick<SecretStore, "set">;
  /** Milliseconds of a certificate; 0 leaves it to the authority. */
  readonly lifetime: number;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: (message: string) => void;
  readonly series: IdentitySeries;
}

interface Held {
  readonly key: string;
  /** PEM: leaf and intermediates. */
  readonly chain: string;
  readonly facts: CertificateFacts;
  /** When half of its life is over, by the wall clock and by the one that does not jump. */
  readonly renewAt: number;
  readonly renewAtMonotonic: number;
}

/** Names of the secrets, as every TLS context of the mesh calls them [control-plane §6.6]. */
const OWN_SECRET = "default";
const ROOT_SECRET = "ROOTCA";

/** Wall clocks jump and machines sleep: no timer is trusted for longer. Milliseconds. */
const LOOK_INTERVAL = 5000;
/** A certificate that begins in the future is asked for again and again, less and less often: the next may begin there too. */
const EARLY_BACKOFF = { initial: LOOK_INTERVAL, maximum: 600_000 };
/** When another root signs, all workloads want a new certificate: within so many milliseconds, not at once. */
const RENEWAL_SPREAD = 5000;

/**
 * A workload's certificate, from the first to the last: got by a join token, renewed by itself at half of its life,
 * asked for again and again while the authority is away. Keys are made here and never leave this process.
 */
export class WorkloadCertificate {
  readonly #options: WorkloadCertificateOptions;
  readonly #backoff: Backoff;
  readonly #early: Backoff;
  #held: Held | null = null;
  #roots = "";
  #timer: Timer | null = null;
  #toldExpiry = false;
  #toldEarly = false;
  /** When the next one is asked for while the wall clock is before this one, by the clock that does not jump. */
  #nextEarly: number | null = null;
  #refused = false;
  #closed = false;
  /** Whether nothing is to be done but to wait for half of the life. */
  #waiting = false;
  #working: Promise<void> = Promise.resolve();
  readonly #obtained: Promise<void>;
  #become: () => void = () => {};
  readonly #toldFailures = new Set<string>();

  constructor(options: WorkloadCertificateOptions) {
    this.#options = options;
    this.#obtained = new Promise((resolve) => {
      this.#become = resolve;
    });
    this.#backoff = new Backoff(DEFAULT_BACKOFF, options.random);
    this.#early = new Backoff(EARLY_BACKOFF, options.random);
  }

  /** Makes the first attempt; further ones follow by themselves. Resolves when there is a certificate. */
  start(): Promise<void> {
    this.#begin();
    return this.#obtained;
  }

  /** Resolves when the attempt that is under way has come to its end. */
  settled(): Promise<void> {
    return this.#working;
  }

  /** Facts of the certificate in use; null before the first. */
  get current(): CertificateFacts | null {
    return this.#held?.facts ?? null;
  }

  /** The control plane says which roots are to be trusted from now on; PEM, one an entry. */
  trust(roots: readonly string[]): void {
    try {
      const pems = splitCertificates(roots.join(""));
      if (pems.join("") === this.#roots) return;
      this.#setRoots(pems);
      this.#followSigner(pems[0] ?? "");
    } catch (error) {
      this.#options.log(`The control plane's roots are not taken: ${(error as Error).message}`);
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** The first root is the one that signs now: under another one our certificate's days may be numbered. */
  #followSigner(root: string): void {
    const held = this.#held;
    if (held === null || leadsTo(held.chain, root)) return;
    const { clock, random } = this.#options;
    const soon = random() * RENEWAL_SPREAD;
    const renewAt = Math.min(held.renewAt, clock.now() + soon);
    const renewAtMonotonic = Math.min(held.renewAtMonotonic, clock.monotonic() + soon);
    this.#held = { ...held, renewAt, renewAtMonotonic };
    // Where an attempt is under way, or has failed a moment ago, the next one comes without us.
    if (!this.#waiting) return;
    this.#timer?.cancel();
    this.#look();
  }

  #begin(): void {
    this.#waiting = false;
    this.#working = this.#attempt();
  }

  async #attempt(): Promise<void> {
    const { clock, log, series, workload } = this.#options;
    try {
      series.asked();
      const held = await this.#obtain();
      if (this.#closed) return;
      this.#backoff.reset();
      if (this.#held === null || this.#toldExpiry)
        log(`This workload is ${describe(held.facts)} until ${new Date(held.facts.notAfter).toISOString()}.`);
      this.#toldExpiry = false;
      this.#toldFailures.clear();
      this.#refused = false;
      this.#held = held;
      this.#options.secrets.set(OWN_SECRET, { certificateChain: held.chain, privateKey: held.key });
      series.expires(OWN_SECRET, held.facts.notAfter);
      this.#become();
      this.#look();
    } catch (error) {
      if (this.#closed) return;
      series.failed();
      // Turn about: a new token may be there, or the authority may know the certificate again.
      if ((error as { code?: unknown }).code === UNAUTHENTICATED) this.#refused = !this.#refused;
      const who = `${workload.serviceAccount} of ${workload.namespace}`;
      const failure = `No certificate for service account ${who}: ${reason(error)}. Asking again and again.`;
      // Each reason once: a token and a proof are refused in turn.
      if (!this.#toldFailures.has(failure)) log(failure);
      this.#toldFailures.add(failure);
      this.#tellExpiry();
      if (this.#held !== null && clock.now() < this.#held.facts.notBefore) this.#look();
      else this.#timer = clock.after(this.#backoff.next(), () => this.#begin());
    }
  }

  async #obtain(): Promise<Held> {
    const { request, lifetime, workload, roots } = this.#options;
    const { key, csr } = await createKeyAndRequest({ trustDomain: TO_BE_TOLD, ...workload });
    const trusted = this.#roots === "" ? await roots() : this.#roots;
    const answer = await request({ csr, lifetime, proof: await this.#proof(csr), roots: trusted });
    if (answer.length < 2) throw new Error("the authority's answer is not a certificate and its root");
    const chain = answer.slice(0, -1).join("");
    const facts = readCertificate(chain);
    this.#check(facts, chain, key);
    // Before the certificate, so that nobody is shown one whose root we do not trust ourselves.
    this.#setRoots(splitCertificates(answer.at(-1) ?? ""));
    const { clock, random } = this.#options;
    const now = clock.now();
    // Its life begins now, whatever it was dated back to.
    const delay = renewalDelay({ notBefore: now, notAfter: facts.notAfter }, now, random());
    return { key, chain, facts, renewAt: now + delay, renewAtMonotonic: clock.monotonic() + delay };
  }

  async #proof(csr: string): Promise<Proof> {
    const held = this.#held;
    const now = this.#options.clock.now();
    if (held !== null && !this.#refused && now < held.facts.notAfter)
      return { renewal: signRenewal(held.key, held.chain, csr) };
    return { token: await this.#options.token() };
  }

  #check({ identity, notAfter }: CertificateFacts, chain: string, key: string): void {
    const { namespace, serviceAccount } = this.#options.workload;
    if (identity?.namespace !== namespace || identity.serviceAccount !== serviceAccount)
      throw new Error(`the join token is for ${identity === null ? "nobody" : formatSpiffeId(identity)}`);
    if (!new X509Certificate(chain).checkPrivateKey(createPrivateKey(key)))
      throw new Error("the authority's certificate is for another key");
    if (notAfter <= this.#options.clock.now()) throw new Error("the authority's certificate has expired already");
  }

  #setRoots(pems: readonly string[]): void {
    const text = pems.join("");
    if (text === this.#roots) return;
    this.#roots = text;
    this.#options.secrets.set(ROOT_SECRET, { trustedCa: text });
    this.#options.series.expires(ROOT_SECRET, Math.min(...pems.map((pem) => readCertificate(pem).notAfter)));
  }

  /** Renews when it is time by one of the clocks: a machine may sleep, and a wall clock jump. */
  #look(): void {
    const { clock } = this.#options;
    const held = this.#held;
    if (held === null) return;
    const now = clock.now();
    this.#waiting = true;
    this.#tellExpiry();
    const left = Math.min(held.renewAt - now, held.renewAtMonotonic - clock.monotonic());
    if (now < held.facts.notBefore) {
      this.#tellEarly(held.facts);
      this.#nextEarly ??= clock.monotonic() + this.#early.next();
      const wait = this.#nextEarly - clock.monotonic();
      if (wait <= 0) {
        this.#nextEarly = null;
        this.#begin();
      } else this.#timer = clock.after(Math.min(LOOK_INTERVAL, wait), () => this.#look());
      return;
    }
    this.#toldEarly = false;
    this.#nextEarly = null;
    this.#early.reset();
    if (left <= 0) this.#begin();
    else this.#timer = clock.after(Math.min(LOOK_INTERVAL, left), () => this.#look());
  }

  #tellEarly(facts: CertificateFacts): void {
    if (this.#toldEarly) return;
    this.#toldEarly = true;
    this.#options.log(
      `The certificate of ${describe(facts)} begins at ${new Date(facts.notBefore).toISOString()}, later than this ` +
        "machine's clock: new connections that need it are refused. Set the clock; meanwhile another one is asked for.",
    );
  }

  #tellExpiry(): void {
    const { clock, log } = this.#options;
    const facts = this.#held?.facts;
    if (facts === undefined || this.#toldExpiry || clock.now() < facts.notAfter) return;
    this.#toldExpiry = true;
    log(
      `The certificate of ${describe(facts)} expired at ${new Date(facts.notAfter).toISOString()}; new connections that ` +
        "need it are refused. A new join token lets the workload in again.",
    );
  }
}

/** gRPC's code for a caller that is not known. */
const UNAUTHENTICATED = 16;
/** The authority decides; the request's own names are not looked at. */
const TO_BE_TOLD = "cluster.local";

/** Whether a chain (PEM) ends below a root (PEM). */
function leadsTo(chain: string, root: string): boolean {
  const last = new X509Certificate(splitCertificates(chain).at(-1) ?? "");
  const anchor = new X509Certificate(root);
  return last.fingerprint256 === anchor.fingerprint256 || (last.checkIssued(anchor) && last.verify(anchor.publicKey));
}

function describe({ identity }: CertificateFacts): string {
  return identity === null ? "nobody" : formatSpiffeId(identity);
}

function reason(error: unknown): string {
  const { details, message } = error as { details?: string; message?: string };
  // What gRPC says of a connection that it could not make is long.
  const text = (details ?? message ?? String(error)).replace(/^No connection established\. Last error: (Error: )?/, "");
  if (text.startsWith("Deadline exceeded")) return "the control plane does not answer in time";
  return text.replace(/\. Resolution note:.*$/, "").replace(/\.$/, "");
}
