import { createPrivateKey, sign, verify, X509Certificate } from "node:crypto";
import { certificateFacts, splitCertificates } from "./certificate.ts";
import { IdentityError } from "./identity-error.ts";
import type { SpiffeId } from "./spiffe-id.ts";

/** Name of the header that carries a proof to the certificate service. */
export const RENEWAL_HEADER = "mixerless-renewal";

const CONTEXT = "mixerless.renew.v1\n";
const MAX_BYTES = 32 * 1024;
/** Intermediates between a workload's certificate and its root. */
const MAX_PATH = 4;

/**
 * Proves that the bearer of a certificate asks for the next one: its chain, and a signature with its key over the new
 * request. It is good for that request alone, so nobody gains by repeating it. `key` and `chain` are PEM.
 */
export function signRenewal(key: string, chain: string, csr: string): string {
  const signature = sign("sha256", Buffer.from(CONTEXT + csr), createPrivateKey(key));
  return `${Buffer.from(chain).toString("base64url")}.${signature.toString("base64url")}`;
}

/** The certificate behind a proof. */
export interface Renewed {
  readonly identity: SpiffeId;
  /** Lower-case hexadecimal. */
  readonly serial: string;
}

/**
 * Whose certificate stands behind a proof: one that leads up to a root of `roots` (PEM), is valid at `now`, and whose
 * key signed exactly this request. Throws {@link IdentityError}.
 */
export function readRenewal(proof: string, csr: string, roots: readonly string[], now: number): Renewed {
  const [chain = "", signature = "", ...rest] = proof.split(".");
  if (proof.length > MAX_BYTES || rest.length > 0) throw refused("is no proof of a certificate");
  const [leaf, ...intermediates] = certificatesOf(Buffer.from(chain, "base64url").toString());
  if (leaf === undefined) throw refused("shows no certificate");
  const { identity, serial, notBefore, notAfter } = certificateFacts(leaf);
  if (identity === null) throw refused("shows a certificate of no workload");
  if (now >= notAfter) throw refused(`shows a certificate that expired at ${new Date(notAfter).toISOString()}`);
  if (now < notBefore)
    throw refused(`shows a certificate that is not valid before ${new Date(notBefore).toISOString()}`);
  if (!leadsTo(leaf, intermediates, roots, now)) throw refused("shows a certificate that this mesh did not issue");
  const signed = verify("sha256", Buffer.from(CONTEXT + csr), leaf.publicKey, Buffer.from(signature, "base64url"));
  if (!signed) throw refused("was not signed by the key of its certificate");
  return { identity, serial };
}

function certificatesOf(chain: string): X509Certificate[] {
  try {
    return splitCertificates(chain).map((pem) => new X509Certificate(pem));
  } catch {
    throw refused("shows no certificate");
  }
}

function leadsTo(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly string[],
  now: number,
): boolean {
  const anchors = roots.map((pem) => new X509Certificate(pem));
  let current = leaf;
  for (let step = 0; step <= MAX_PATH; step++) {
    if (anchors.some((root) => isIssuer(root, current, now))) return true;
    const next = intermediates.find((one) => isIssuer(one, current, now));
    if (next === undefined) return false;
    current = next;
  }
  return false;
}

function isIssuer(issuer: X509Certificate, issued: X509Certificate, now: number): boolean {
  const { notBefore, notAfter } = certificateFacts(issuer);
  return (
    issuer.ca && notBefore <= now && now < notAfter && issued.checkIssued(issuer) && issued.verify(issuer.publicKey)
  );
}

function refused(why: string): IdentityError {
  return new IdentityError("bad-certificate", "peer", `The renewal ${why}. Join the mesh again with a join token.`);
}
