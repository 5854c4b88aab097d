import type { Clock } from "@mixerless/clock";
import { readCertificate } from "../certificate.ts";
import { createRoot } from "./root.ts";
import { type AuthorityFiles, readSigner, type Signer } from "./signer.ts";

/** Roots of a mesh that makes its own, oldest first. The keys in it are the mesh's greatest secret. */
export interface AuthorityState {
  readonly version: 1;
  readonly generations: readonly Generation[];
}

interface Generation {
  readonly files: AuthorityFiles;
  /** Milliseconds since the epoch from which this root signs; until then it is only trusted. */
  readonly signsFrom: number;
}

export interface RotationOptions {
  readonly clock: Clock;
  readonly trustDomain: string;
  /** Milliseconds that a root lives. Default 10 years. */
  readonly lifetime?: number;
  /** Milliseconds between a root being trusted everywhere and its first signature. Default 1 hour. */
  readonly overlap?: number;
  /** The longest life of a certificate: so long an old root stays trusted. Default 90 days. */
  readonly maxLeafLifetime?: number;
  /** Keeps the state; called before a new root is used. Must be atomic and readable by the owner only. */
  readonly save: (state: AuthorityState) => Promise<void>;
  /** Told when the set of trusted roots, or the one that signs, is another. */
  readonly onChange?: () => void;
}

/** One root, as operators see it. Times in milliseconds since the epoch. */
export interface RootStatus {
  /** SHA-256 of its DER form. */
  readonly fingerprint: string;
  /** `next`: trusted, and signs from {@link signsFrom}; `old`: trusted for what it signed before. */
  readonly role: "signs" | "next" | "old";
  readonly notBefore: number;
  readonly notAfter: number;
  readonly signsFrom: number;
  /** When it is forgotten by itself. */
  readonly trustedUntil: number;
}

interface Loaded {
  readonly generation: Generation;
  readonly signer: Signer;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
/** A new root is made when so little of the newest one's life is left [control-plane §6.6]. */
const LAST_PART = 0.2;

/**
 * A root that follows itself without a refused connection: a new one is first trusted beside the old one,
 * signs after the overlap, and the old one is forgotten when nothing that it signed can be valid.
 */
export class RotatingRoot {
  readonly #options: RotationOptions;
  readonly #lifetime: number;
  readonly #overlap: number;
  readonly #maxLeafLifetime: number;
  #loaded: readonly Loaded[] = [];
  #shown = "";

  private constructor(options: RotationOptions) {
    this.#options = options;
    this.#lifetime = options.lifetime ?? 10 * YEAR;
    this.#overlap = options.overlap ?? HOUR;
    this.#maxLeafLifetime = options.maxLeafLifetime ?? 90 * DAY;
  }

  /** Takes over a kept state, or makes the first root. Roots that have expired are left out. Throws IdentityError for a state that is damaged. */
  static async open(state: AuthorityState | null, options: RotationOptions): Promise<RotatingRoot> {
    const root = new RotatingRoot(options);
    const now = options.clock.now();
    const alive = (state?.generations ?? []).filter(
      ({ files }) => readCertificate(files["ca-cert.pem"]).notAfter > now,
    );
    root.#loaded = await Promise.all(
      alive.map(async (generation) => ({ generation, signer: await readSigner(generation.files, now) })),
    );
    await root.check();
    return root;
  }

  /** The root that signs now. */
  get signer(): Signer {
    const now = this.#options.clock.now();
    const signing = this.#loaded.filter(({ generation }) => generation.signsFrom <= now);
    const newest = signing.at(-1) ?? this.#loaded[0];
    if (newest === undefined) throw new Error("A root is made before it is asked for.");
    return newest.signer;
  }

  /** The oldest root that is trusted now. */
  get oldestSigner(): Signer {
    return this.#trusted()[0]?.signer ?? this.signer;
  }

  /** PEM of every root that is trusted now: the one that signs first, the others from the oldest on. */
  get roots(): readonly string[] {
    const signs = this.signer;
    return this.#trusted()
      .map(({ signer }) => signer)
      .sort((a, b) => Number(b === signs) - Number(a === signs))
      .map(({ root }) => root);
  }

  /** Every root that is trusted now, the oldest first. */
  describe(): RootStatus[] {
    const { signer } = this;
    const trusted = this.#trusted();
    const signing = trusted.findIndex((one) => one.signer === signer);
    return trusted.map(({ generation: { signsFrom }, signer: { facts } }, index) => {
      const { fingerprint, notBefore, notAfter } = facts;
      const role = index === signing ? "signs" : index < signing ? "old" : "next";
      const successor = trusted[index + 1]?.generation.signsFrom;
      const trustedUntil = role === "old" && successor !== undefined ? successor + this.#maxLeafLifetime : notAfter;
      return { fingerprint, role, notBefore, notAfter, signsFrom, trustedUntil: Math.min(notAfter, trustedUntil) };
    });
  }

  /** To be called now and then (hourly upstream): makes the next root in time, forgets past ones. */
  async check(): Promise<void> {
    const now = this.#options.clock.now();
    const newest = this.#loaded.at(-1);
    if (newest === undefined) await this.#add(now);
    else if (this.#isAging(newest, now)) await this.#add(now + this.#overlap);
    this.#loaded = this.#loaded.filter((_, index) => !this.#isPast(index, now));
    this.#tell();
  }

  /** Makes the next root now, whatever the age of the present one; it signs after the overlap. */
  async rotate(): Promise<void> {
    await this.#add(this.#options.clock.now() + this.#overlap);
    this.#tell();
  }

  /** Lets the newest root sign from now on. Whether everybody trusts it already is the caller's to know. */
  async signByNewest(): Promise<void> {
    const now = this.#options.clock.now();
    await this.#keep(
      this.#loaded.map(({ generation, signer }) => ({
        generation: { ...generation, signsFrom: Math.min(generation.signsFrom, now) },
        signer,
      })),
    );
    this.#tell();
  }

  /** Forgets the roots before the one that signs, and what they signed is refused from now on. */
  async dropOld(): Promise<void> {
    const { signer } = this;
    await this.#keep(this.#loaded.slice(this.#loaded.findIndex((one) => one.signer === signer)));
    this.#tell();
  }

  async #add(signsFrom: number): Promise<void> {
    const { clock, trustDomain } = this.#options;
    const files = await createRoot(trustDomain, clock.now(), this.#lifetime);
    const generation = { files, signsFrom };
    await this.#keep([...this.#loaded, { generation, signer: await readSigner(files, clock.now()) }]);
  }

  /** On disk first: what is not kept is not used. */
  async #keep(loaded: readonly Loaded[]): Promise<void> {
    await this.#options.save({ version: 1, generations: loaded.map((one) => one.generation) });
    this.#loaded = loaded;
  }

  #trusted(): Loaded[] {
    const now = this.#options.clock.now();
    return this.#loaded.filter((_, index) => !this.#isPast(index, now));
  }

  #isAging({ signer }: Loaded, now: number): boolean {
    const { notBefore, notAfter } = signer.facts;
    return notAfter - now < (notAfter - notBefore) * LAST_PART;
  }

  /** Nothing that this root signed is valid any more, or it has expired itself. */
  #isPast(index: number, now: number): boolean {
    const successor = this.#loaded[index + 1]?.generation.signsFrom;
    const notAfter = this.#loaded[index]?.signer.facts.notAfter ?? 0;
    return notAfter <= now || (successor !== undefined && successor + this.#maxLeafLifetime <= now);
  }

  #tell(): void {
    const shown = JSON.stringify([this.roots, this.signer.facts.fingerprint]);
    if (shown === this.#shown) return;
    const first = this.#shown === "";
    this.#shown = shown;
    if (!first) this.#options.onChange?.();
  }
}
