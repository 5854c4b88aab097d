import { createHash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { type CertificateFacts, certificateFacts } from "@mixerless/identity";
import type { TlsInfo } from "../transport/transport.ts";
import type { SanTest, TlsConfig } from "./compile-tls.ts";

/** Why a peer is not believed, as Envoy's `ssl.fail_verify_…` counters name it. */
export type VerifyFailure = "no_cert" | "error" | "san" | "cert_hash";

/** What there is to say of a finished handshake. */
export interface PeerCheck {
  readonly failure: VerifyFailure | null;
  /** For the log; never a secret. */
  readonly details: string;
  readonly info: TlsInfo;
}

export interface CheckOptions {
  readonly config: Pick<TlsConfig, "roots" | "sans" | "hashes" | "spkiHashes">;
  /** A peer without a certificate is refused. */
  readonly required: boolean;
  /** Null: none is shown. */
  readonly ownCertificate: CertificateFacts | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Judges a peer by its certificate, after OpenSSL has: the chain, the dates by our own clock, and the
 * names. Asked again for every connection: a resumed session brings back an old verdict with it.
 */
export function checkPeer(socket: TLSSocket, options: CheckOptions): PeerCheck {
  // Asked once: for a client, Node takes the certificate out of the chain that it was shown.
  const certificate = socket.getPeerX509Certificate();
  const peer = certificate === undefined ? null : certificateFacts(certificate);
  const { ownCertificate: own } = options;
  const [failure, details] = judge(socket, peer, certificate, options);
  return {
    failure,
    details,
    info: describe(socket, failure === null && options.config.roots !== null ? peer : null, own, certificate),
  };
}

function judge(
  socket: TLSSocket,
  peer: CertificateFacts | null,
  certificate: X509Certificate | undefined,
  { config, required, now }: CheckOptions,
): [VerifyFailure | null, string] {
  if (peer === null) return required ? ["no_cert", "peer did not return a certificate"] : [null, ""];
  if (config.roots === null) return [null, ""];
  if (!socket.authorized) return ["error", String(socket.authorizationError ?? "certificate verify failed")];
  if (now >= peer.notAfter) return ["error", `certificate expired at ${new Date(peer.notAfter).toISOString()}`];
  if (now < peer.notBefore) return ["error", `certificate not valid before ${new Date(peer.notBefore).toISOString()}`];
  if (certificate !== undefined && !isNamed(certificate, peer, config))
    return ["cert_hash", "the certificate is none of those that are named"];
  if (config.sans.length > 0 && !config.sans.some((san) => sanMatches(san, peer)))
    return ["san", `no name of the certificate is accepted: ${[...peer.uriSans, ...peer.dnsSans].join(", ")}`];
  return [null, ""];
}

/** Whether one of a certificate's names is what is wanted. */
export function sanMatches({ kind, test }: SanTest, peer: CertificateFacts): boolean {
  return { uri: peer.uriSans, dns: peer.dnsSans, ip: peer.ipSans }[kind].some(test);
}

/** Either kind of hash is enough, as in Envoy. */
function isNamed(certificate: X509Certificate, peer: CertificateFacts, config: CheckOptions["config"]): boolean {
  const { hashes, spkiHashes } = config;
  if (hashes.length + spkiHashes.length === 0 || hashes.includes(peer.fingerprint)) return true;
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return spkiHashes.includes(createHash("sha256").update(key).digest("base64"));
}

/** A certificate that nobody checked says nothing, so it is not among the facts. */
function describe(
  socket: TLSSocket,
  peer: CertificateFacts | null,
  own: CertificateFacts | null,
  certificate: X509Certificate | undefined,
): TlsInfo {
  let chain: readonly string[] | null = null;
  return {
    version: (socket.getProtocol() ?? "").replace(/^TLSv1$/, "TLSv1.0"),
    alpn: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : null,
    peerCertificatePresented: peer !== null,
    uriSanPeer: peer?.uriSans ?? [],
    dnsSanPeer: peer?.dnsSans ?? [],
    uriSanLocal: own?.uriSans ?? [],
    subjectPeer: peer?.subject ?? null,
    subjectLocal: own?.subject ?? null,
    fingerprintPeer: peer?.fingerprint ?? null,
    ...(peer === null
      ? {}
      : {
          peerChain: () => {
            chain ??= chainOf(certificate);
            return chain;
          },
        }),
  };
}

function chainOf(leaf: X509Certificate | undefined): string[] {
  const chain: string[] = [];
  let certificate = leaf;
  while (certificate !== undefined && chain.length < MAX_CHAIN) {
    chain.push(certificate.toString());
    const { issuerCertificate } = certificate;
    certificate = issuerCertificate?.fingerprint256 === certificate.fingerprint256 ? undefined : issuerCertificate;
  }
  return chain;
}

/** A loop among issuers must not be followed for ever. */
const MAX_CHAIN = 10;
