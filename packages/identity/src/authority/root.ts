import type { webcrypto } from "node:crypto";
import type { AuthorityFiles } from "./signer.ts";
import { EC_P256, subtle, x509 } from "./x509.ts";

const PATH_LENGTH = 1;
const SERIAL_BYTES = 16;

/** Makes a root for a mesh: an EC P-256 key and a certificate that it signs for itself, `lifetime` milliseconds long. */
export async function createRoot(trustDomain: string, now: number, lifetime: number): Promise<AuthorityFiles> {
  const keys = (await subtle.generateKey(EC_P256, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    signingAlgorithm: EC_P256,
    serialNumber: randomSerial(),
    name: `O=${trustDomain}`,
    notBefore: new Date(now),
    notAfter: new Date(now + lifetime),
    extensions: [
      new x509.BasicConstraintsExtension(true, PATH_LENGTH, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = Buffer.from(await subtle.exportKey("pkcs8", keys.privateKey));
  const pem = `${certificate.toString("pem")}\n`;
  return {
    "ca-cert.pem": pem,
    "ca-key.pem": `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n`,
    "root-cert.pem": pem,
    "cert-chain.pem": "",
  };
}

/** 128 random bits, positive. */
export function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  bytes[0] = (bytes[0] as number) & 0x7f;
  return Buffer.from(bytes).toString("hex");
}
