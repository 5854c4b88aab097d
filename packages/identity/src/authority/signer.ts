import { createPrivateKey, type webcrypto, X509Certificate } from "node:crypto";
import { type CertificateFacts, certificateFacts, splitCertificates } from "../certificate.ts";
import { IdentityError } from "../identity-error.ts";
import { subtle, x509 } from "./x509.ts";

type SigningAlgorithm = webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams;

/** A certificate that may sign workloads' certificates, its key, and the way up from it. */
export interface Signer {
  readonly facts: CertificateFacts;
  /** Of {@link root}. */
  readonly rootFacts: CertificateFacts;
  /** PEM. */
  readonly certificate: string;
  /** What stands between a leaf and the root, the signing certificate first if it is no root; PEM. */
  readonly intermediates: readonly string[];
  /** The root that {@link intermediates} lead to; PEM. */
  readonly root: string;
  readonly key: webcrypto.CryptoKey;
  readonly algorithm: SigningAlgorithm;
}

/** PEM texts as an operator plugs them in; Istio's file names. */
export interface AuthorityFiles {
  readonly "ca-cert.pem": string;
  readonly "ca-key.pem": string;
  readonly "root-cert.pem": string;
  /** Intermediates from `ca-cert.pem` upwards; may be empty, and may hold `ca-cert.pem` itself and the root. */
  readonly "cert-chain.pem": string;
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };

/** Reads a signer, checking that its parts belong together at the time `now`. Throws {@link IdentityError} that names the file. */
export async function readSigner(files: AuthorityFiles, now: number): Promise<Signer> {
  const certificate = certificateOf(files, "ca-cert.pem");
  const root = certificateOf(files, "root-cert.pem");
  checkAuthority("ca-cert.pem", certificate, now);
  checkAuthority("root-cert.pem", root, now);
  const key = privateKeyOf(files);
  if (!certificate.checkPrivateKey(key)) throw bad("ca-key.pem", "is not the key of ca-cert.pem");
  const chain = files["cert-chain.pem"].trim() === "" ? [] : splitCertificates(files["cert-chain.pem"]);
  const intermediates = pathToRoot(
    certificate,
    chain.map((pem) => new X509Certificate(pem)),
    root,
  );
  const algorithm = algorithmOf(key);
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  return {
    facts: certificateFacts(certificate),
    rootFacts: certificateFacts(root),
    certificate: certificate.toString(),
    intermediates: intermediates.map(String),
    root: root.toString(),
    key: await subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]),
    algorithm,
  };
}

function certificateOf(files: AuthorityFiles, name: "ca-cert.pem" | "root-cert.pem"): X509Certificate {
  try {
    return new X509Certificate(splitCertificates(files[name])[0] ?? "");
  } catch (error) {
    throw bad(name, `holds no certificate: ${(error as Error).message}`);
  }
}

function checkAuthority(name: string, certificate: X509Certificate, now: number): void {
  const { notBefore, notAfter } = certificateFacts(certificate);
  if (!certificate.ca) throw bad(name, "may not sign certificates (basicConstraints says CA:FALSE)");
  const usage = new x509.X509Certificate(certificate.raw).getExtension(x509.KeyUsagesExtension)?.usages;
  if (usage !== undefined && (usage & x509.KeyUsageFlags.keyCertSign) === 0)
    throw bad(name, "may not sign certificates (keyUsage lacks keyCertSign)");
  if (notAfter <= now) throw bad(name, `expired at ${new Date(notAfter).toISOString()}`);
  if (notBefore > now) throw bad(name, `is not valid before ${new Date(notBefore).toISOString()}`);
}

function privateKeyOf(files: AuthorityFiles) {
  try {
    return createPrivateKey(files["ca-key.pem"]);
  } catch {
    // What the library says may quote the key.
    throw bad("ca-key.pem", "holds no unencrypted private key in PEM");
  }
}

function pathToRoot(start: X509Certificate, chain: readonly X509Certificate[], root: X509Certificate) {
  const path: X509Certificate[] = [];
  let current = start;
  while (current.fingerprint256 !== root.fingerprint256) {
    path.push(current);
    const issued = current;
    if (issued.checkIssued(root) && issued.verify(root.publicKey)) return path;
    const next = chain.find(
      (one) =>
        !path.some((seen) => seen.fingerprint256 === one.fingerprint256) &&
        issued.checkIssued(one) &&
        issued.verify(one.publicKey),
    );
    if (next === undefined) throw bad("cert-chain.pem", "does not lead from ca-cert.pem to root-cert.pem");
    current = next;
  }
  return path;
}

function algorithmOf(key: ReturnType<typeof createPrivateKey>): SigningAlgorithm {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (key.asymmetricKeyType === "ec" && curve !== undefined) return { name: "ECDSA", namedCurve: curve };
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  throw bad("ca-key.pem", `is of a type that is not supported (${key.asymmetricKeyType}); use EC or RSA`);
}

function bad(file: string, why: string): IdentityError {
  return new IdentityError("bad-authority-files", "user", `${file} ${why}. The last good authority goes on signing.`);
}
