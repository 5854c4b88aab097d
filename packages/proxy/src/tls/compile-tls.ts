import { readFileSync } from "node:fs";
import { compileStringMatcher, type TextTest } from "@mixerless/matchers";
import type { DataSource } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  type CertificateValidationContext,
  CertificateValidationContext_TrustChainVerification,
  SubjectAltNameMatcher_SanType,
  type TlsCertificate,
  TlsParameters_TlsProtocol,
} from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/common";
import type { CommonTlsContext } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/tls";
import { type ConfigFault, fieldPath } from "../network/config-fault.ts";
import { hostMatches } from "./host-match.ts";
import type { KeyPair, TrustedRoots } from "./secret-store.ts";

/** A value that stands in the configuration, or a secret by its name. */
export type SecretOr<T> = { readonly value: T } | { readonly secret: string };

/** True where one of a certificate's names of a kind matches. */
export interface SanTest {
  readonly kind: "uri" | "dns" | "ip";
  readonly test: TextTest;
}

/** What a TLS context says, whichever side it is for. */
export interface TlsConfig {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's list for TLS 1.2; empty: the default. */
  readonly ciphers: string;
  readonly alpn: readonly string[];
  /** Null: no certificate is shown. */
  readonly certificate: SecretOr<KeyPair> | null;
  /** Null: peers are not checked. */
  readonly roots: SecretOr<TrustedRoots> | null;
  /** Revocation lists beside those of the roots, PEM; empty: none. */
  readonly revocations: string;
  /** SHA-256 of a peer's certificate, or of its key in DER form: one must be right; both empty: any. */
  readonly hashes: readonly string[];
  readonly spkiHashes: readonly string[];
  /** A peer needs one of these names; empty: any that leads up to the roots. */
  readonly sans: readonly SanTest[];
}

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export function compileCommonTls(
  message: CommonTlsContext | undefined,
  path: string,
  faults: ConfigFault[],
): TlsConfig {
  const at = (field: string) => fieldPath(path, field);
  const refuse = (field: keyof CommonTlsContext) => {
    if (message?.[field] !== undefined) faults.push({ path: at(field), message: "is not supported" });
  };
  for (const field of ["tlsCertificateProviderInstance", "customHandshaker", "keyLog"] as const) refuse(field);
  const params = message?.tlsParams;
  const validation = compileValidation(message, path, faults);
  return {
    minVersion: versionOf(
      params?.tlsMinimumProtocolVersion,
      "TLSv1.2",
      at("tlsParams.tlsMinimumProtocolVersion"),
      faults,
    ),
    maxVersion: versionOf(
      params?.tlsMaximumProtocolVersion,
      "TLSv1.3",
      at("tlsParams.tlsMaximumProtocolVersion"),
      faults,
    ),
    ciphers: (params?.cipherSuites ?? []).flatMap((suite) => suite.replace(/^\[|\]$/g, "").split("|")).join(":"),
    alpn: message?.alpnProtocols ?? [],
    certificate: compileCertificate(message, path, faults),
    ...validation,
  };
}

function versionOf(
  version: TlsParameters_TlsProtocol | undefined,
  standard: TlsVersion,
  path: string,
  faults: ConfigFault[],
): TlsVersion {
  switch (version ?? TlsParameters_TlsProtocol.TLS_AUTO) {
    case TlsParameters_TlsProtocol.TLS_AUTO:
      return standard;
    case TlsParameters_TlsProtocol.TLSv1_2:
      return "TLSv1.2";
    case TlsParameters_TlsProtocol.TLSv1_3:
      return "TLSv1.3";
    default:
      faults.push({ path, message: "TLS below 1.2 is not supported" });
      return standard;
  }
}

function compileCertificate(
  message: CommonTlsContext | undefined,
  path: string,
  faults: ConfigFault[],
): SecretOr<KeyPair> | null {
  const inline = message?.tlsCertificates ?? [];
  const named = message?.tlsCertificateSdsSecretConfigs ?? [];
  if (inline.length + named.length > 1) {
    faults.push({ path: fieldPath(path, "tlsCertificates"), message: "one certificate is supported, not several" });
    return null;
  }
  const [secret] = named;
  if (secret !== undefined) return { secret: secret.name };
  const [certificate] = inline;
  if (certificate === undefined) return null;
  return { value: keyPairOf(certificate, fieldPath(path, "tlsCertificates[0]"), faults) };
}

/** Reads a certificate and its key out of a message, or adds faults, which never hold a part of the key. */
export function keyPairOf(certificate: TlsCertificate, path: string, faults: ConfigFault[]): KeyPair {
  for (const field of ["pkcs12", "password", "privateKeyProvider"] as const) {
    if (certificate[field] !== undefined) faults.push({ path: fieldPath(path, field), message: "is not supported" });
  }
  return {
    certificateChain: textOf(certificate.certificateChain, fieldPath(path, "certificateChain"), faults),
    privateKey: textOf(certificate.privateKey, fieldPath(path, "privateKey"), faults),
  };
}

type Validation = Pick<TlsConfig, "roots" | "sans" | "revocations" | "hashes" | "spkiHashes">;

const UNCHECKED: Validation = { roots: null, sans: [], revocations: "", hashes: [], spkiHashes: [] };

function compileValidation(message: CommonTlsContext | undefined, path: string, faults: ConfigFault[]): Validation {
  const type = message?.validationContextType;
  switch (type?.case) {
    case undefined:
      return UNCHECKED;
    case "validationContext":
      return validationOf(type.value, fieldPath(path, "validationContext"), faults);
    case "validationContextSdsSecretConfig":
      return { ...UNCHECKED, roots: { secret: type.value.name } };
    case "combinedValidationContext": {
      const { defaultValidationContext, validationContextSdsSecretConfig } = type.value;
      const at = fieldPath(path, "combinedValidationContext");
      const own =
        defaultValidationContext === undefined
          ? UNCHECKED
          : validationOf(defaultValidationContext, fieldPath(at, "defaultValidationContext"), faults);
      const name = validationContextSdsSecretConfig?.name;
      return name === undefined ? own : { ...own, roots: { secret: name } };
    }
    default:
      faults.push({ path: fieldPath(path, type?.case ?? ""), message: "is not supported" });
      return UNCHECKED;
  }
}

function validationOf(context: CertificateValidationContext, path: string, faults: ConfigFault[]): Validation {
  const at = (field: string) => fieldPath(path, field);
  for (const field of ["customValidatorConfig", "caCertificateProviderInstance", "systemRootCerts"] as const) {
    if (context[field] !== undefined) faults.push({ path: at(field), message: "is not supported" });
  }
  if (context.allowExpiredCertificate)
    faults.push({
      path: at("allowExpiredCertificate"),
      message: "is not supported: an expired certificate proves nothing",
    });
  if (context.trustChainVerification === CertificateValidationContext_TrustChainVerification.ACCEPT_UNTRUSTED)
    faults.push({ path: at("trustChainVerification"), message: "ACCEPT_UNTRUSTED is not supported" });
  const typed = context.matchTypedSubjectAltNames.map((matcher, i): SanTest => {
    const where = at(`matchTypedSubjectAltNames[${i}]`);
    const kind = KINDS[matcher.sanType];
    if (kind === undefined)
      faults.push({ path: `${where}.sanType`, message: "only DNS, URI and IP_ADDRESS are supported" });
    const pattern = matcher.matcher?.matchPattern;
    // A certificate for *.example.com is one for a.example.com.
    if (kind === "dns" && pattern?.case === "exact") return { kind, test: hostMatches(pattern.value) };
    return { kind: kind ?? "uri", test: compileStringMatcher(matcher.matcher, `${where}.matcher`, faults) };
  });
  const untyped = context.matchSubjectAltNames.flatMap((matcher, i): SanTest[] => {
    const test = compileStringMatcher(matcher, at(`matchSubjectAltNames[${i}]`), faults);
    return [
      { kind: "uri", test },
      { kind: "dns", test },
    ];
  });
  const sans = [...typed, ...untyped];
  const own = {
    sans,
    revocations: context.crl === undefined ? "" : textOf(context.crl, at("crl"), faults),
    // Written with colons or without.
    hashes: context.verifyCertificateHash.map((hash) => hash.replaceAll(":", "").toLowerCase()),
    spkiHashes: context.verifyCertificateSpki,
  };
  if (context.trustedCa === undefined) return { ...own, roots: null };
  return { ...own, roots: { value: { trustedCa: textOf(context.trustedCa, at("trustedCa"), faults) } } };
}

const KINDS: Readonly<Partial<Record<SubjectAltNameMatcher_SanType, SanTest["kind"]>>> = {
  [SubjectAltNameMatcher_SanType.DNS]: "dns",
  [SubjectAltNameMatcher_SanType.URI]: "uri",
  [SubjectAltNameMatcher_SanType.IP_ADDRESS]: "ip",
};

/** Reads roots and revocation lists out of a message, or adds faults. */
export function rootsOf(context: CertificateValidationContext, path: string, faults: ConfigFault[]): TrustedRoots {
  return {
    trustedCa: textOf(context.trustedCa, fieldPath(path, "trustedCa"), faults),
    revocations: context.crl === undefined ? "" : textOf(context.crl, fieldPath(path, "crl"), faults),
  };
}

/** Files are read when the configuration comes, as Envoy does without a watched directory. */
function textOf(source: DataSource | undefined, path: string, faults: ConfigFault[]): string {
  const specifier = source?.specifier;
  switch (specifier?.case) {
    case "inlineString":
      return specifier.value;
    case "inlineBytes":
      return Buffer.from(specifier.value).toString();
    case "filename":
      try {
        return readFileSync(specifier.value, "utf8");
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "an error";
        faults.push({ path: fieldPath(path, "filename"), message: `"${specifier.value}" cannot be read: ${code}` });
        return "";
      }
    case "environmentVariable": {
      const value = process.env[specifier.value];
      if (value !== undefined) return value;
      faults.push({ path: fieldPath(path, "environmentVariable"), message: `${specifier.value} is not set` });
      return "";
    }
    default:
      faults.push({ path, message: "is needed" });
      return "";
  }
}
