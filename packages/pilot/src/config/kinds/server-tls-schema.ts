// TLS settings of Gateway servers and Sidecar ingress listeners (§8.2).
import type { Cursor } from "../schema/cursor.ts";
import { lists, object, optional, withDefault } from "../schema/object.ts";
import { boolean, convert, describe, list, oneOf, type Reader, string } from "../schema/reader.ts";
import type { ServerTlsSettings } from "./gateway.ts";

/** Names that Envoy's TLS 1.2 stack knows. */
const CIPHER_SUITES = new Set([
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-PSK-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-PSK-AES128-CBC-SHA",
  "AES128-GCM-SHA256",
  "AES128-SHA",
  "PSK-AES128-CBC-SHA",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-RSA-AES256-SHA",
  "ECDHE-PSK-AES256-CBC-SHA",
  "AES256-GCM-SHA384",
  "AES256-SHA",
  "PSK-AES256-CBC-SHA",
  "DES-CBC3-SHA",
]);

const version = oneOf("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3");

const certificate = object({
  serverCertificate: withDefault(string, ""),
  privateKey: withDefault(string, ""),
  caCertificates: withDefault(string, ""),
});

const writtenTls = object({
  mode: withDefault(
    oneOf("PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"),
    "PASSTHROUGH",
  ),
  httpsRedirect: withDefault(boolean, false),
  serverCertificate: withDefault(string, ""),
  privateKey: withDefault(string, ""),
  caCertificates: withDefault(string, ""),
  caCrl: withDefault(string, ""),
  credentialName: withDefault(string, ""),
  credentialNames: optional(list(string, { min: 1, max: 2 })),
  tlsCertificates: optional(list(certificate, { min: 1 })),
  caCertCredentialName: withDefault(string, ""),
  subjectAltNames: lists(string),
  verifyCertificateSpki: lists(string),
  verifyCertificateHash: lists(string),
  minProtocolVersion: withDefault(version, "TLS_AUTO"),
  maxProtocolVersion: withDefault(version, "TLS_AUTO"),
  cipherSuites: lists(string),
});

type WrittenTls = NonNullable<ReturnType<typeof writtenTls>>;

export const serverTls: Reader<ServerTlsSettings> = convert(writtenTls, (written, at) => {
  checkSources(written, at);
  checkMode(written, at);
  const { serverCertificate, privateKey, credentialName, credentialNames, tlsCertificates, ...tls } = written;
  const pairs = tlsCertificates ?? (serverCertificate === "" ? [] : [{ serverCertificate, privateKey }]);
  return Object.freeze({
    ...tls,
    certificates: pairs.map((pair) => ({ certificate: pair.serverCertificate, privateKey: pair.privateKey })),
    credentialNames: credentialNames ?? (credentialName === "" ? [] : [credentialName]),
    cipherSuites: usableCiphers(written, at.at("cipherSuites")),
  });
});

function hasCredential(tls: WrittenTls): boolean {
  return tls.credentialName !== "" || tls.credentialNames !== undefined;
}

function hasFiles(tls: WrittenTls): boolean {
  return tls.serverCertificate + tls.privateKey !== "" || tls.tlsCertificates !== undefined;
}

/** Only one place may hold the certificate (§8.2, §8.10). */
function checkSources(tls: WrittenTls, at: Cursor): void {
  const sources = [
    tls.credentialName === "" ? undefined : "credentialName",
    tls.credentialNames === undefined ? undefined : "credentialNames",
    tls.tlsCertificates === undefined ? undefined : "tlsCertificates",
    tls.serverCertificate + tls.privateKey === "" ? undefined : "serverCertificate",
  ].filter((name) => name !== undefined);
  if (sources.length > 1) {
    at.error("several-alternatives", `only one of ${sources.join(", ")} can be set.`, "Keep one of them.");
  }
  if (tls.tlsCertificates !== undefined && tls.tlsCertificates.length > 2) {
    at.at("tlsCertificates").warn(
      "too-many-certificates",
      "Only two certificates can be used.",
      "Keep one RSA and one ECDSA.",
    );
  }
}

function checkMode(tls: WrittenTls, at: Cursor): void {
  if (tls.mode === "ISTIO_MUTUAL") {
    if (hasCredential(tls) || hasFiles(tls) || tls.caCertificates !== "") {
      at.error(
        "certificate-not-allowed",
        "ISTIO_MUTUAL uses the certificates of the mesh.",
        "Remove the certificates.",
      );
    }
    return;
  }
  if (tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH") {
    if (hasCredential(tls) || hasFiles(tls) || tls.caCertificates !== "") {
      at.warn("certificate-unused", `${tls.mode} does not end TLS here, so certificates are not used.`, "Remove them.");
    }
    return;
  }
  if (!hasCredential(tls)) checkFiles(tls, at);
  else if (tls.caCrl !== "") {
    at.at("caCrl").error(
      "contradicting-verification",
      "With credentialName the CRL comes from the secret.",
      "Remove caCrl.",
    );
  }
  if (tls.mode === "SIMPLE" && tls.caCrl !== "") {
    at.at("caCrl").error("contradicting-verification", "SIMPLE checks no client certificate.", "Remove caCrl.");
  }
  if (/TLSV1_[01]/.test(tls.minProtocolVersion) && tls.cipherSuites.length === 0) {
    const message = "TLS below 1.2 needs cipherSuites that it can use.";
    at.at("minProtocolVersion").warn("old-tls-version", message, "Use TLSV1_2, or list cipherSuites.");
  }
}

function checkFiles(tls: WrittenTls, at: Cursor): void {
  const pairs = tls.tlsCertificates ?? [tls];
  if (pairs.some((pair) => pair.serverCertificate === "" || pair.privateKey === "")) {
    const cure = "Set credentialName, or serverCertificate and privateKey.";
    at.error("missing-certificate", `${tls.mode} needs a certificate of the server.`, cure);
  }
  if (tls.mode !== "SIMPLE" && tls.caCertificates === "") {
    at.error("missing-certificate", `${tls.mode} needs the authorities of the clients.`, "Set caCertificates.");
  }
}

function usableCiphers(tls: WrittenTls, at: Cursor): readonly string[] {
  const usable = new Set<string>();
  tls.cipherSuites.forEach((suite, index) => {
    if (!CIPHER_SUITES.has(suite)) {
      at.at(index).warn(
        "unknown-cipher",
        `${describe(suite)} is no cipher suite; it is left out.`,
        "Remove or correct it.",
      );
    } else if (usable.has(suite)) {
      at.at(index).warn("repeated-name", `${suite} is listed twice.`, "Remove one.");
    } else {
      usable.add(suite);
    }
  });
  return Object.freeze([...usable]);
}
