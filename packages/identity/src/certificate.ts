import { X509Certificate } from "node:crypto";
import { IdentityError } from "./identity-error.ts";
import { parseSpiffeId, type SpiffeId } from "./spiffe-id.ts";

/** What telemetry, policies and people want to know of a certificate. */
export interface CertificateFacts {
  /** As RFC 2253 prints it: most specific part first. Empty for a workload's own. */
  readonly subject: string;
  readonly issuer: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  readonly ipSans: readonly string[];
  /** The only URI name, if it is an identity; null if there is none, another or more than one. */
  readonly identity: SpiffeId | null;
  /** SHA-256 of the DER form, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly isAuthority: boolean;
}

/** No honest chain or bundle is longer. */
const MAX_PEM_BYTES = 256 * 1024;
const MAX_CERTIFICATES = 64;
const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Each certificate of a PEM text, in order. Throws {@link IdentityError} if there is none or too much. */
export function splitCertificates(pem: string): string[] {
  const blocks = pem.length > MAX_PEM_BYTES ? [] : (pem.match(BLOCK) ?? []);
  if (blocks.length === 0 || blocks.length > MAX_CERTIFICATES) {
    throw new IdentityError(
      "bad-certificate",
      "user",
      `Expected 1 to ${MAX_CERTIFICATES} PEM certificates of at most ${MAX_PEM_BYTES} bytes, found ${blocks.length} in ${pem.length} bytes.`,
    );
  }
  return blocks.map((block) => `${block}\n`);
}

/** Facts of one certificate in PEM or DER form. Throws {@link IdentityError} for what is none. */
export function readCertificate(encoded: string | Uint8Array): CertificateFacts {
  return certificateFacts(parse(encoded));
}

export function certificateFacts(certificate: X509Certificate): CertificateFacts {
  const names = subjectAlternativeNames(certificate.subjectAltName ?? "");
  const uriSans = names.filter(({ type }) => type === "URI").map(({ value }) => value);
  const [only, ...others] = uriSans;
  return {
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    serial: certificate.serialNumber.toLowerCase(),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    uriSans,
    dnsSans: names.filter(({ type }) => type === "DNS").map(({ value }) => value),
    ipSans: names.filter(({ type }) => type === "IP Address").map(({ value }) => value),
    identity: only === undefined || others.length > 0 ? null : parseSpiffeId(only),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    isAuthority: certificate.ca,
  };
}

function parse(encoded: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(encoded);
  } catch (error) {
    throw new IdentityError("bad-certificate", "peer", `This is no X.509 certificate: ${(error as Error).message}.`);
  }
}

/**
 * Node joins names by `, ` and writes one that holds a comma, a quote or the like as a JSON string; so a
 * name cannot pretend to be two.
 */
function subjectAlternativeNames(text: string): { type: string; value: string }[] {
  const names: { type: string; value: string }[] = [];
  const pattern = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [whole, type = "", value = ""] = match;
    if (whole === "") break;
    names.push({ type, value: value.startsWith('"') ? (JSON.parse(value) as string) : value });
  }
  return names;
}

/** Node prints one attribute a line, the least specific first. */
function distinguishedName(text: string | undefined): string {
  return (text ?? "").split("\n").filter(Boolean).reverse().join(",");
}
