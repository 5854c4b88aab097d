import { createPublicKey } from "node:crypto";
import { IdentityError } from "../identity-error.ts";
import { x509 } from "./x509.ts";

const MAX_CSR_BYTES = 16 * 1024;
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const CURVES: readonly string[] = ["prime256v1", "secp384r1", "secp521r1"];

/**
 * The public key of a request whose signature proves that the caller has the private one. Its names are
 * not looked at: who the caller is, is not for the caller to say. Throws {@link IdentityError}.
 */
export async function readRequest(csr: string): Promise<InstanceType<typeof x509.PublicKey>> {
  if (csr.length > MAX_CSR_BYTES) throw badRequest(`is longer than ${MAX_CSR_BYTES} bytes`);
  let request: InstanceType<typeof x509.Pkcs10CertificateRequest>;
  let proven: boolean;
  try {
    request = new x509.Pkcs10CertificateRequest(csr);
    checkKey(request.publicKey.toString("pem"));
    proven = await request.verify();
  } catch (error) {
    if (error instanceof IdentityError) throw error;
    throw badRequest(`is no PEM certificate signing request (${(error as Error).message})`);
  }
  if (!proven) throw badRequest("is not signed by the key that it shows");
  return request.publicKey;
}

function checkKey(publicKey: string): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey(publicKey);
  if (type === "ec" && CURVES.includes(details?.namedCurve ?? "")) return;
  const bits = details?.modulusLength ?? 0;
  if (type === "rsa" && bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS) return;
  throw badRequest(`has a key that is not accepted (${type}); use EC P-256, P-384, P-521 or RSA of 2048 to 8192 bits`);
}

function badRequest(why: string): IdentityError {
  return new IdentityError("bad-csr", "peer", `The certificate signing request ${why}.`);
}
