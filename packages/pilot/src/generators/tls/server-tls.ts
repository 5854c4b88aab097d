import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TransportSocket } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  type CertificateValidationContextSchema,
  type TlsParametersSchema,
  TlsParameters_TlsProtocol as Version,
} from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/common";
import type { CommonTlsContextSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/tls";
import type { ServerTlsSettings, TlsProtocolVersion } from "../../config/kinds/gateway.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { SERVED_HTTP } from "./alpn.ts";
import { meshParameters } from "./parameters.ts";
import {
  certificateFiles,
  credential,
  credentialRoots,
  meshRoots,
  ownCertificate,
  rootsFile,
  type SecretReference,
} from "./secret-references.ts";
import { exactName } from "./subject-names.ts";
import { serverSocket } from "./transport-sockets.ts";

type Common = MessageInitShape<typeof CommonTlsContextSchema>;

/** Whether TLS ends at this server; otherwise it goes through, and only its ClientHello is looked at. */
export function endsTls(tls: ServerTlsSettings | undefined): tls is ServerTlsSettings {
  return tls !== undefined && tls.mode !== "PASSTHROUGH" && tls.mode !== "AUTO_PASSTHROUGH";
}

/** TLS of a Gateway server that ends it [control-plane §7.7]. `http`: what comes out is HTTP. */
export function serverTls(input: GeneratorInput, tls: ServerTlsSettings, http: boolean): TransportSocket {
  const mesh = tls.mode === "ISTIO_MUTUAL";
  const certificates = mesh ? [ownCertificate(input.proxy, "SERVER")] : certificatesOf(tls);
  const roots = mesh ? meshRoots(input.proxy, "SERVER") : clientRoots(tls);
  return serverSocket({
    requireClientCertificate: mesh || tls.mode === "MUTUAL",
    commonTlsContext: {
      tlsParams: mesh ? meshParameters(input.push.mesh) : parameters(tls, isEmbedded(input)),
      alpnProtocols: http ? SERVED_HTTP : [],
      // The embedded proxy shows one certificate; a second one is for clients without ECDSA, or without RSA.
      tlsCertificateSdsSecretConfigs: isEmbedded(input) ? certificates.slice(0, 1) : certificates,
      ...validation(tls, roots),
    },
  });
}

function isEmbedded({ proxy }: GeneratorInput): boolean {
  return proxy.userAgentName === "mixerless";
}

function certificatesOf(tls: ServerTlsSettings): SecretReference[] {
  if (tls.credentialNames.length > 0) return tls.credentialNames.map(credential);
  return tls.certificates.map(({ certificate, privateKey }) => certificateFiles(certificate, privateKey));
}

/** What clients' certificates must lead up to; null where none is asked for. */
function clientRoots(tls: ServerTlsSettings): SecretReference | null {
  if (tls.mode !== "MUTUAL" && tls.mode !== "OPTIONAL_MUTUAL") return null;
  if (tls.caCertCredentialName !== "") return credentialRoots(tls.caCertCredentialName);
  const [name] = tls.credentialNames;
  return name === undefined ? rootsFile(tls.caCertificates) : credentialRoots(name);
}

function validation(tls: ServerTlsSettings, roots: SecretReference | null): Pick<Common, "validationContextType"> {
  if (roots === null) return {};
  const { subjectAltNames, verifyCertificateSpki, verifyCertificateHash, caCrl } = tls;
  const own: MessageInitShape<typeof CertificateValidationContextSchema> = {
    matchTypedSubjectAltNames: subjectAltNames.map(exactName),
    verifyCertificateSpki: [...verifyCertificateSpki],
    verifyCertificateHash: [...verifyCertificateHash],
    ...(caCrl === "" ? {} : { crl: { specifier: { case: "filename", value: caCrl } } }),
  };
  return {
    validationContextType: {
      case: "combinedValidationContext",
      value: { defaultValidationContext: own, validationContextSdsSecretConfig: roots },
    },
  };
}

/** The embedded proxy has no TLS below 1.2, so that is where its range begins. */
function parameters(tls: ServerTlsSettings, embedded: boolean): MessageInitShape<typeof TlsParametersSchema> {
  const clamped = (version: Version) => (embedded ? Math.max(version, Version.TLSv1_2) : version);
  const { minProtocolVersion, maxProtocolVersion, cipherSuites } = tls;
  return {
    tlsMinimumProtocolVersion:
      minProtocolVersion === "TLS_AUTO" ? Version.TLSv1_2 : clamped(VERSIONS[minProtocolVersion]),
    ...(maxProtocolVersion === "TLS_AUTO" ? {} : { tlsMaximumProtocolVersion: clamped(VERSIONS[maxProtocolVersion]) }),
    cipherSuites: [...cipherSuites],
  };
}

const VERSIONS: Readonly<Record<Exclude<TlsProtocolVersion, "TLS_AUTO">, Version>> = {
  TLSV1_0: Version.TLSv1_0,
  TLSV1_1: Version.TLSv1_1,
  TLSV1_2: Version.TLSv1_2,
  TLSV1_3: Version.TLSv1_3,
};
