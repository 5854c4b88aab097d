import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import type { Clock, Timer } from "@mixerless/clock";
import { type SecretSource, SecretStore, type SecretValue } from "./secret-store.ts";

const CERTIFICATE = "file-cert:";
const ROOTS = "file-root:";
const SYSTEM = "system";
/** Milliseconds after which a changed file is taken over at the latest. */
const INTERVAL = 5000;

/** Where hosts keep what they trust. */
const SYSTEM_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Whether a secret is what lies in files that its name tells [control-plane §5.8]. */
export function isFileSecret(name: string): boolean {
  return name.startsWith(CERTIFICATE) || name.startsWith(ROOTS);
}

/**
 * `file-cert:<certificate>~<key>` and `file-root:<authorities>`, read when somebody asks for them and looked at
 * again from time to time: files are replaced before they expire. What can't be read is missing.
 */
export class FileSecrets implements SecretSource {
  readonly #clock: Clock;
  readonly #log: (message: string) => void;
  readonly #store: SecretStore;
  readonly #texts = new Map<string, string>();
  #wanted: ReadonlySet<string> = new Set();
  #timer: Timer | null = null;

  constructor(clock: Clock, log: (message: string) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#store = new SecretStore((names) => this.#want(names));
  }

  get(name: string): SecretValue | null {
    return this.#store.get(name);
  }

  names(): Iterable<string> {
    return this.#store.names();
  }

  subscribe(name: string, onChange: () => void): () => void {
    return this.#store.subscribe(name, onChange);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #want(names: ReadonlySet<string>): void {
    for (const name of names) if (!this.#wanted.has(name)) this.#read(name);
    for (const name of this.#wanted) if (!names.has(name)) this.#texts.delete(name);
    this.#wanted = names;
    if (names.size > 0) this.#timer ??= this.#clock.every(INTERVAL, () => this.#look());
    else {
      this.#timer?.cancel();
      this.#timer = null;
    }
  }

  #look(): void {
    for (const name of this.#wanted) this.#read(name);
  }

  #read(name: string): void {
    let value: SecretValue | null = null;
    try {
      value = readSecret(name);
    } catch (error) {
      const text = `${name} can't be read: ${(error as NodeJS.ErrnoException).code ?? "an error"}`;
      if (this.#texts.get(name) !== text) this.#log(text);
      this.#texts.set(name, text);
      this.#store.remove(name);
      return;
    }
    const text = JSON.stringify(value);
    if (this.#texts.get(name) === text) return;
    this.#texts.set(name, text);
    this.#store.set(name, value);
  }
}

function readSecret(name: string): SecretValue {
  if (name.startsWith(ROOTS)) {
    const file = name.slice(ROOTS.length);
    return { trustedCa: file === SYSTEM ? systemRoots() : readFileSync(file, "utf8") };
  }
  const [certificate = "", key = ""] = name.slice(CERTIFICATE.length).split("~");
  return { certificateChain: readFileSync(certificate, "utf8"), privateKey: readFileSync(key, "utf8") };
}

function systemRoots(): string {
  for (const file of SYSTEM_FILES) {
    try {
      return readFileSync(file, "utf8");
    } catch {
      // The next distribution keeps it elsewhere.
    }
  }
  return rootCertificates.join("\n");
}
