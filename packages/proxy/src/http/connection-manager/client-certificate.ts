import type { TlsInfo } from "../../transport/transport.ts";
import type { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";

/** What to do with `x-forwarded-client-cert`. */
export interface ClientCertificateOptions {
  readonly mode: "sanitize" | "forward-only" | "append-forward" | "sanitize-set" | "always-forward-only";
  readonly cert: boolean;
  readonly chain: boolean;
  readonly subject: boolean;
  readonly uri: boolean;
  readonly dns: boolean;
}

/** Keeps, drops or extends `x-forwarded-client-cert` by the identity of the peer; Envoy's order of the parts. */
export function applyClientCertificate(
  headers: HeaderMap,
  tls: TlsInfo | null,
  options: ClientCertificateOptions,
): void {
  if (options.mode === "always-forward-only") return;
  if (options.mode === "sanitize" || tls === null || !tls.peerCertificatePresented) {
    headers.remove(H.xForwardedClientCert);
    return;
  }
  if (options.mode === "forward-only") return;
  const element = describe(tls, options);
  const before = options.mode === "append-forward" ? headers.get(H.xForwardedClientCert) : null;
  if (element !== "") headers.set(H.xForwardedClientCert, before === null ? element : `${before},${element}`);
  else if (before === null) headers.remove(H.xForwardedClientCert);
}

function describe(tls: TlsInfo, options: ClientCertificateOptions): string {
  const parts: string[] = tls.uriSanLocal.map((uri) => `By=${uri}`);
  if (tls.fingerprintPeer !== null) parts.push(`Hash=${tls.fingerprintPeer}`);
  if (options.cert && tls.peerChain !== undefined) parts.push(`Cert="${encoded(tls.peerChain().slice(0, 1))}"`);
  if (options.chain && tls.peerChain !== undefined) parts.push(`Chain="${encoded(tls.peerChain())}"`);
  if (options.subject && tls.subjectPeer !== null) parts.push(`Subject="${tls.subjectPeer.replaceAll('"', '\\"')}"`);
  if (options.uri) for (const uri of tls.uriSanPeer) parts.push(`URI=${uri}`);
  if (options.dns) for (const name of tls.dnsSanPeer) parts.push(`DNS=${name}`);
  return parts.join(";");
}

/** Certificates in PEM, with what has a meaning in a URL escaped. */
function encoded(certificates: readonly string[]): string {
  return certificates.join("").replace(/[\n +/=]/g, (character) => ESCAPES[character] ?? character);
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "%0A", " ": "%20", "+": "%2B", "/": "%2F", "=": "%3D" };
