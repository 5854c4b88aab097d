import type { Clock } from "@mixerless/clock";
import { IdentityError } from "../identity-error.ts";
import { formatSpiffeId, type SpiffeId } from "../spiffe-id.ts";
import { readRequest } from "./csr.ts";
import { randomSerial } from "./root.ts";
import type { Signer } from "./signer.ts";
import { x509 } from "./x509.ts";

/** A certificate for a workload. */
export interface IssuedCertificate {
  /** PEM, one certificate an entry: leaf, intermediates, root [control-plane §6.6]. */
  readonly chain: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthorityOptions {
  readonly clock: Clock;
  /** The signer of the moment; it may be another one at the next call. */
  readonly signer: () => Signer;
  /** Milliseconds of a certificate whose asker names no lifetime. Default 24 hours. */
  readonly defaultLifetime?: number;
  /** Longer ones are refused. Default 90 days. */
  readonly maxLifetime?: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Clocks differ: a certificate is valid a little before it was made. */
const BACKDATED = 120_000;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Signs certificates for workloads whose identity its caller has established. */
export class CertificateAuthority {
  readonly #options: AuthorityOptions;
  readonly #defaultLifetime: number;
  readonly #maxLifetime: number;

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.#defaultLifetime = options.defaultLifetime ?? DAY;
    this.#maxLifetime = options.maxLifetime ?? 90 * DAY;
  }

  /**
   * A certificate for `identity` and the key of `csr`. `lifetime` in milliseconds, 0 or less for the
   * default; it ends with the signer's own life at the latest. `dnsNames` are for servers that are found by
   * a host name, never for a workload's asking. Throws {@link IdentityError}.
   */
  async issue(
    csr: string,
    identity: SpiffeId,
    lifetime: number,
    dnsNames: readonly string[] = [],
  ): Promise<IssuedCertificate> {
    const wanted = lifetime > 0 ? lifetime : this.#defaultLifetime;
    if (wanted > this.#maxLifetime) {
      const [asked, most] = [wanted, this.#maxLifetime].map((time) => `${time / HOUR} h`);
      throw new IdentityError(
        "lifetime-too-long",
        "peer",
        `A certificate for ${asked} was asked for; ${most} is the most.`,
      );
    }
    const publicKey = await readRequest(csr);
    const signer = this.#options.signer();
    const now = this.#options.clock.now();
    const notAfter = seconds(Math.min(now + wanted, signer.facts.notAfter));
    if (notAfter <= now) {
      const when = new Date(signer.facts.notAfter).toISOString();
      throw new IdentityError(
        "authority-expired",
        "user",
        `The mesh's signing certificate expired at ${when}. Rotate it.`,
      );
    }
    const notBefore = seconds(Math.max(now - BACKDATED, signer.facts.notBefore));
    const issuer = new x509.X509Certificate(signer.certificate);
    const leaf = await x509.X509CertificateGenerator.create({
      publicKey,
      signingKey: signer.key,
      signingAlgorithm: { ...signer.algorithm, hash: "SHA-256" },
      serialNumber: randomSerial(),
      subject: "",
      issuer: issuer.subjectName.toJSON(),
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      extensions: await extensions(issuer, identity, dnsNames),
    });
    return { chain: [`${leaf.toString("pem")}\n`, ...signer.intermediates, signer.root], notBefore, notAfter };
  }
}

async function extensions(
  issuer: InstanceType<typeof x509.X509Certificate>,
  identity: SpiffeId,
  dnsNames: readonly string[],
) {
  const names = [
    { type: "url", value: formatSpiffeId(identity) } as const,
    ...dnsNames.map((value) => ({ type: "dns", value }) as const),
  ];
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  return [
    new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true),
    new x509.ExtendedKeyUsageExtension([SERVER_AUTH, CLIENT_AUTH]),
    new x509.BasicConstraintsExtension(false, undefined, true),
    await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    // Critical, because the subject is empty (RFC 5280 §4.2.1.6).
    new x509.SubjectAlternativeNameExtension(names, true),
  ];
}

/** Certificates know whole seconds. */
function seconds(time: number): number {
  return Math.floor(time / 1000) * 1000;
}
