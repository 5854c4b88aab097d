import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Cursor } from "../schema/cursor.ts";
import { maps, object, withDefault } from "../schema/object.ts";
import { convert, type Reader, string } from "../schema/reader.ts";
import { digestOf, SecretSpec } from "./secret.ts";

const TLS_TYPE = "kubernetes.io/tls";

/** Names of the entries, Kubernetes' own first, then those of generic Secrets [control-plane §5.8]. */
const ENTRIES = {
  certificate: ["tls.crt", "cert"],
  privateKey: ["tls.key", "key"],
  authorities: ["ca.crt", "cacert"],
  revocations: ["ca.crl", "crl"],
  ocspStaple: ["tls.ocsp-staple"],
  registryLogin: [".dockerconfigjson"],
} as const;

type Entry = keyof typeof ENTRIES;

const written = object(
  { type: withDefault(string, "Opaque"), data: maps(secretText), stringData: maps(secretText) },
  { open: true },
);

/** Reads the whole object. Its values never stand in a message. */
export const secret: Reader<SecretSpec> = convert(written, ({ type, data, stringData }, at) => {
  const bytes = (entry: Entry): Buffer => {
    for (const name of ENTRIES[entry]) {
      const plain = stringData[name];
      if (plain !== undefined) return Buffer.from(plain);
      const encoded = data[name];
      if (encoded !== undefined) return decoded(encoded, at.at("data").at(name));
    }
    return Buffer.alloc(0);
  };
  const text = (entry: Entry) => bytes(entry).toString("utf8");
  const material = {
    certificate: text("certificate"),
    privateKey: text("privateKey"),
    authorities: text("authorities"),
    revocations: text("revocations"),
    ocspStaple: new Uint8Array(bytes("ocspStaple")),
  };
  // Any other Secret may have entries of these names that mean something else.
  if (type === TLS_TYPE || isPem(material.certificate)) checkPair(material.certificate, material.privateKey, at);
  if (type === TLS_TYPE || isPem(material.authorities)) checkCertificates(material.authorities, "ca.crt", at);
  return new SecretSpec(type, material, text("registryLogin"));
});

/** As `string`, but a wrong value is not shown. */
function secretText(value: unknown, at: Cursor): string | undefined {
  if (typeof value === "string") return value;
  at.error("wrong-type", "The value of a Secret is text.", "Put it in quotes.");
  return undefined;
}

function decoded(text: string, at: Cursor): Buffer {
  const plain = text.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain))
    at.error("bad-base64", "The value is not base64.", "Encode it, or write it below stringData.");
  return Buffer.from(plain, "base64");
}

function isPem(text: string): boolean {
  return text.includes("-----BEGIN");
}

function checkPair(certificate: string, privateKey: string, at: Cursor): void {
  if (certificate === "" || privateKey === "") {
    at.error("missing-certificate", "A certificate and its key belong together.", "Give tls.crt and tls.key.");
    return;
  }
  const leaf = checkCertificates(certificate, "tls.crt", at);
  const key = keyOf(privateKey);
  if (key === undefined) at.error("bad-key", "The private key can't be read.", "Give it as PEM, without a password.");
  else if (leaf !== undefined && !leaf.checkPrivateKey(key))
    at.error("bad-key", "The private key is not that of the certificate.", "Give the two that belong together.");
}

/** The first certificate. */
function checkCertificates(pem: string, entry: string, at: Cursor): X509Certificate | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (pem !== "" && blocks.length === 0) {
    at.error("bad-certificate", `${entry} holds no certificate.`, "Give certificates as PEM.");
    return undefined;
  }
  try {
    const [first] = blocks.map((block) => new X509Certificate(block));
    return first;
  } catch {
    at.error("bad-certificate", `A certificate in ${entry} can't be read.`, "Give certificates as PEM.");
    return undefined;
  }
}

function keyOf(pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** The object as it was written, with digests in the place of what is secret. */
export function withoutSecrets(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const hidden = (value: unknown): unknown =>
    typeof value !== "object" || value === null
      ? `[redacted ${digestOf(String(value))}]`
      : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hidden(inner)]));
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => [key, key === "data" || key === "stringData" ? hidden(value) : value]),
  );
}
