import type { ConfigPort, StringMap } from "./common.ts";

/** networking.istio.io Gateway. */
export interface GatewaySpec {
  /** Labels of the gateway's pods; empty selects every gateway workload. */
  readonly selector: StringMap;
  readonly servers: readonly GatewayServer[];
}

export interface GatewayServer {
  readonly port: ConfigPort;
  /** An IP address, `unix://…`, or empty for the wildcard address. */
  readonly bind: string;
  /** `dns`, `namespace/dns`, `./dns`, a star as namespace, as written. */
  readonly hosts: readonly string[];
  readonly tls?: ServerTlsSettings;
  readonly name: string;
}

export type ServerTlsMode =
  | "PASSTHROUGH"
  | "SIMPLE"
  | "MUTUAL"
  | "AUTO_PASSTHROUGH"
  | "ISTIO_MUTUAL"
  | "OPTIONAL_MUTUAL";

export type TlsProtocolVersion = "TLS_AUTO" | "TLSV1_0" | "TLSV1_1" | "TLSV1_2" | "TLSV1_3";

/** Shared by Gateway servers and Sidecar ingress listeners. */
export interface ServerTlsSettings {
  readonly mode: ServerTlsMode;
  readonly httpsRedirect: boolean;
  /** The files of `serverCertificate` + `privateKey`, or of `tlsCertificates`. */
  readonly certificates: readonly { readonly certificate: string; readonly privateKey: string }[];
  readonly caCertificates: string;
  readonly caCrl: string;
  /** `credentialName` or `credentialNames`. */
  readonly credentialNames: readonly string[];
  readonly caCertCredentialName: string;
  readonly subjectAltNames: readonly string[];
  readonly verifyCertificateSpki: readonly string[];
  readonly verifyCertificateHash: readonly string[];
  readonly minProtocolVersion: TlsProtocolVersion;
  readonly maxProtocolVersion: TlsProtocolVersion;
  /** Without the ones that are unknown or repeated. */
  readonly cipherSuites: readonly string[];
}
