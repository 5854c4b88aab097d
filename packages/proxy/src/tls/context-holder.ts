import type { SecureContextOptions } from "node:tls";
import { type CertificateFacts, readCertificate } from "@mixerless/identity";
import type { SecretOr, TlsConfig } from "./compile-tls.ts";
import type { KeyPair, SecretSource, SecretValue, TrustedRoots } from "./secret-store.ts";

/** Why there is no context now: nothing may connect, in clear or otherwise. */
export type ContextProblem = "secret-missing" | "secret-broken" | "certificate-expired";

/**
 * What TLS needs of a configuration and of the secrets as they are now: `make` turns that into a context.
 * Each change of a secret makes a new one, so that nothing which was agreed on under the old ones, such as
 * a session, outlives them.
 */
export class ContextHolder<T extends object> {
  readonly #config: TlsConfig;
  readonly #secrets: SecretSource;
  readonly #unsubscribe: (() => void)[] = [];
  readonly #make: (options: SecureContextOptions) => T;
  #context: T | null = null;
  #problem: ContextProblem | null = null;
  #stale = true;
  #certificate: CertificateFacts | null = null;

  constructor(config: TlsConfig, secrets: SecretSource, make: (options: SecureContextOptions) => T) {
    this.#config = config;
    this.#secrets = secrets;
    this.#make = make;
    for (const part of [config.certificate, config.roots]) {
      if (part !== null && "secret" in part)
        this.#unsubscribe.push(
          secrets.subscribe(part.secret, () => {
            this.#stale = true;
          }),
        );
    }
  }

  /** The context, or why there is none at `now`, milliseconds since the epoch. */
  get(now: number): T | ContextProblem {
    if (this.#stale) this.#renew();
    // An expired certificate would only bring refusals from others, with less to say.
    if (this.#certificate !== null && now >= this.#certificate.notAfter) return "certificate-expired";
    return this.#context ?? this.#problem ?? "secret-missing";
  }

  /** Of the certificate that the context shows; null for none. Read once, which costs as much as a handshake. */
  get certificate(): CertificateFacts | null {
    return this.#certificate;
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  #renew(): void {
    this.#stale = false;
    this.#context = null;
    this.#problem = "secret-missing";
    this.#certificate = null;
    const { certificate, roots, minVersion, maxVersion, ciphers } = this.#config;
    const pair = certificate === null ? null : this.#resolve(certificate, isKeyPair);
    const ca = roots === null ? null : this.#rootsOf(roots);
    if ((certificate !== null && pair === null) || (roots !== null && ca === null)) return;
    const revocations = [this.#config.revocations, ca?.revocations ?? ""].filter((list) => list !== "");
    try {
      this.#context = this.#make({
        minVersion,
        maxVersion,
        // Without this Node would trust the roots of the system.
        ca: ca?.trustedCa ?? [],
        ...(revocations.length === 0 ? {} : { crl: revocations }),
        ...(pair === null ? {} : { cert: pair.certificateChain, key: pair.privateKey }),
        ...(ciphers === "" ? {} : { ciphers }),
      });
      this.#problem = null;
      if (pair !== null) this.#certificate = readCertificate(pair.certificateChain);
    } catch {
      // What OpenSSL says could quote the key.
      this.#problem = "secret-broken";
    }
  }

  #rootsOf(part: SecretOr<TrustedRoots>): TrustedRoots | null {
    if ("value" in part) return part.value;
    const value = this.#secrets.get(part.secret);
    return value !== null && "trustedCa" in value ? value : null;
  }

  #resolve(part: SecretOr<KeyPair>, is: (value: SecretValue) => value is KeyPair): KeyPair | null {
    if ("value" in part) return part.value;
    const value = this.#secrets.get(part.secret);
    return value !== null && is(value) ? value : null;
  }
}

function isKeyPair(value: SecretValue): value is KeyPair {
  return "privateKey" in value;
}
