import { join } from "node:path";
import type { Clock } from "@mixerless/clock";
import { readIfThere, replaceFile } from "./owner-file.ts";

/** What is kept of a certificate: enough to know whom the end of its root would shut out. */
export interface Issued {
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** SPIFFE id. */
  readonly identity: string;
  /** Fingerprint of the root that it leads to. */
  readonly root: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

export interface IssuedCertificatesOptions {
  /** That of the authority. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/** A workload's certificate, and the one that it had before. */
interface Held extends Issued {
  /** Serial of the first one of the workload, which all that follow it keep. */
  readonly line: string;
  readonly before: Issued | null;
  /** Milliseconds since the epoch at which it took the place of {@link before}. */
  readonly since: number;
}

interface IssuedFile {
  readonly version: 1;
  readonly held: readonly Held[];
}

const FILE = "issued.json";
/** Milliseconds in which the answer with a renewed certificate may still be lost, and the old one be in use. */
const ON_THE_WAY = 15_000;

/**
 * The certificates that workloads hold now, kept beside the authority (no key among them): a renewed one takes the place
 * of the one that proved the renewal. Without this nobody could tell when an old root is needed no more.
 */
export class IssuedCertificates {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: (message: string) => void;
  /** By line. */
  readonly #held = new Map<string, Held>();
  /** Serial → line and end, also of those that have been renewed: streams go on with what they have shown. */
  readonly #lines = new Map<string, { readonly line: string; readonly notAfter: number }>();
  #saving: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #toldFailure = "";

  private constructor({ folder, clock, log }: IssuedCertificatesOptions, held: readonly Held[]) {
    this.#path = join(folder, FILE);
    this.#clock = clock;
    this.#log = log;
    for (const one of held) this.#hold(one);
  }

  /** A damaged file is told and left aside: all that is lost is what {@link under} would have known. */
  static async open(options: IssuedCertificatesOptions): Promise<IssuedCertificates> {
    const path = join(options.folder, FILE);
    const text = await readIfThere(path);
    const held = text === null ? [] : parse(text);
    if (held === null) options.log(`${path} is damaged: nobody knows which certificates are still in use.`);
    return new IssuedCertificates(options, held ?? []);
  }

  /**
   * Notes a certificate; `renewed` is the serial of the one that it follows, null for a first one. Resolves when it is
   * written down. A disk that is full is told and stops no certificate.
   */
  async note(issued: Issued, renewed: string | null): Promise<void> {
    const line = (renewed === null ? undefined : this.#lines.get(renewed)?.line) ?? issued.serial;
    const previous = this.#held.get(line);
    this.#hold({ ...issued, line, before: previous === undefined ? null : plain(previous), since: this.#clock.now() });
    try {
      await this.#save();
      this.#toldFailure = "";
    } catch (error) {
      const failure = `${this.#path} cannot be written: ${(error as Error).message}`;
      if (failure !== this.#toldFailure) this.#log(failure);
      this.#toldFailure = failure;
    }
  }

  /** Certificates in use, or perhaps still in use, that lead to the root with this fingerprint; the first to expire first. */
  under(root: string): Issued[] {
    const now = this.#clock.now();
    const found: Issued[] = [];
    for (const held of this.#held.values()) {
      const before = held.before !== null && now - held.since < ON_THE_WAY ? held.before : null;
      const needed = [held, before].find((one) => one !== null && one.root === root && one.notAfter > now);
      if (needed != null) found.push(needed);
    }
    return found.sort((a, b) => a.notAfter - b.notAfter);
  }

  /** When the certificate expires that the bearer of this one has by now; null where it is not known. */
  expiryOf(serial: string): number | null {
    const line = this.#lines.get(serial)?.line;
    return line === undefined ? null : (this.#held.get(line)?.notAfter ?? null);
  }

  #hold(held: Held): void {
    this.#held.set(held.line, held);
    this.#lines.set(held.serial, { line: held.line, notAfter: held.notAfter });
  }

  /** Many renewals at a time are one write. */
  #save(): Promise<void> {
    this.#next ??= this.#saving
      .catch(() => {})
      .then(() => {
        this.#next = null;
        this.#tidy();
        this.#saving = replaceFile(this.#path, JSON.stringify({ version: 1, held: [...this.#held.values()] }));
        return this.#saving;
      });
    return this.#next;
  }

  #tidy(): void {
    const now = this.#clock.now();
    for (const [line, { notAfter }] of this.#held) if (notAfter <= now) this.#held.delete(line);
    for (const [serial, { line, notAfter }] of this.#lines)
      if (notAfter <= now && !this.#held.has(line)) this.#lines.delete(serial);
  }
}

function plain({ serial, identity, root, notAfter }: Issued): Issued {
  return { serial, identity, root, notAfter };
}

function parse(text: string): Held[] | null {
  try {
    const { version, held } = JSON.parse(text) as IssuedFile;
    if (version === 1 && Array.isArray(held) && held.every(isHeld)) return held;
  } catch {
    // Told by the caller.
  }
  return null;
}

function isHeld(value: unknown): value is Held {
  const { line, before, since, ...issued } = (value ?? {}) as Partial<Held>;
  const good = typeof line === "string" && typeof since === "number";
  return good && isIssued(issued) && (before === null || isIssued(before));
}

function isIssued(value: unknown): value is Issued {
  const { serial, identity, root, notAfter } = (value ?? {}) as Partial<Issued>;
  return [serial, identity, root].every((text) => typeof text === "string") && typeof notAfter === "number";
}
