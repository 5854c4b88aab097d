import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Timer } from "@mixerless/clock";
import { type CertificateFacts, formatSpiffeId, readCertificate, splitCertificates } from "@mixerless/identity";
import type { SecretStore } from "@mixerless/proxy";
import type { IdentitySeries } from "./identity-series.ts";

export interface FileCertificateOptions {
  /** Holds `cert-chain.pem`, `key.pem` and `root-cert.pem`, Istio's names [control-plane §6.6]. */
  readonly folder: string;
  /** Where the data plane looks for `default` and `ROOTCA`. */
  readonly secrets: Pick<SecretStore, "set">;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly series: Pick<IdentitySeries, "expires">;
}

interface Texts {
  readonly chain: string;
  readonly key: string;
  readonly root: string;
}

export const CERTIFICATE_FILES = ["cert-chain.pem", "key.pem", "root-cert.pem"] as const;
/** Milliseconds in which replaced files are taken over. */
const INTERVAL = 1000;
const OTHERS = 0o077;
/** Nobody renews these for us: people are told when so little of the life is left. */
const LAST_PART = 0.2;

/**
 * A certificate that somebody else puts into files and replaces there. Files that do not belong together, because they
 * are just being replaced or are wrong, change nothing: the last good ones serve on.
 */
export class FileCertificate {
  readonly #options: FileCertificateOptions;
  readonly #found: Promise<void>;
  #become: () => void = () => {};
  #timer: Timer | null = null;
  #taken: Texts | null = null;
  #facts: CertificateFacts | null = null;
  #told = "";
  #toldEnd = "";
  #looking = false;

  constructor(options: FileCertificateOptions) {
    this.#options = options;
    this.#found = new Promise((resolve) => {
      this.#become = resolve;
    });
  }

  /** Looks at the files, now and from time to time. Resolves when there are good ones. */
  start(): Promise<void> {
    this.#timer = this.#options.clock.every(INTERVAL, () => void this.look());
    void this.look();
    return this.#found;
  }

  /** What the control plane says of roots counts for nothing here: the files do. */
  trust(): void {}

  close(): void {
    this.#timer?.cancel();
  }

  /** Takes the files over if they are other ones than before. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#take();
      this.#told = "";
      this.#tellEnd();
    } catch (error) {
      const last = this.#taken === null ? "" : " The last good ones serve on.";
      const text = `The certificate's files in ${this.#options.folder} are not taken: ${(error as Error).message}.${last}`;
      if (text !== this.#told) this.#options.log(text);
      this.#told = text;
    } finally {
      this.#looking = false;
    }
  }

  async #take(): Promise<void> {
    const { folder, secrets, series, log } = this.#options;
    const [chain = "", key = "", root = ""] = await Promise.all(CERTIFICATE_FILES.map((name) => read(folder, name)));
    const before = this.#taken;
    if (before !== null && before.chain === chain && before.key === key && before.root === root) return;
    const roots = parsed("root-cert.pem", () => splitCertificates(root));
    const facts = parsed("cert-chain.pem", () => readCertificate(splitCertificates(chain)[0] ?? ""));
    const own = parsed("key.pem", () => createPrivateKey(key));
    if (!new X509Certificate(chain).checkPrivateKey(own)) throw new Error("key.pem is not the key of cert-chain.pem");
    const { mode } = await stat(join(folder, "key.pem"));
    if ((mode & OTHERS) !== 0) log(`${join(folder, "key.pem")} can be read by others. Give it the mode 0600.`);
    // Roots first, so that nobody is shown a certificate whose root we do not trust ourselves.
    if (before?.root !== root) {
      secrets.set("ROOTCA", { trustedCa: root });
      series.expires("ROOTCA", Math.min(...roots.map((pem) => readCertificate(pem).notAfter)));
    }
    secrets.set("default", { certificateChain: chain, privateKey: key });
    series.expires("default", facts.notAfter);
    const who = facts.identity === null ? "nobody of a mesh" : formatSpiffeId(facts.identity);
    log(`This workload is ${who} until ${time(facts.notAfter)}, by the files in ${folder}.`);
    this.#taken = { chain, key, root };
    this.#facts = facts;
    this.#become();
  }

  #tellEnd(): void {
    const { clock, log, folder } = this.#options;
    const { notBefore = 0, notAfter = 0 } = this.#facts ?? {};
    const now = clock.now();
    if (notAfter - now > (notAfter - notBefore) * LAST_PART) return;
    const expired = now >= notAfter;
    const text = `The certificate in ${folder} ${expired ? "expired" : "expires"} at ${time(notAfter)}. Replace its files.`;
    if (text !== this.#toldEnd) log(text);
    this.#toldEnd = text;
  }
}

async function read(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), "utf8");
  } catch (error) {
    throw new Error(`${name} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** What a library says of a key could quote it. */
function parsed<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`${name} holds no ${name === "key.pem" ? "unencrypted private key" : "certificate"} in PEM`);
  }
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
