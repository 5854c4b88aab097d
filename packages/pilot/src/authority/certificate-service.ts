import { type Metadata, status } from "@grpc/grpc-js";
import type { Clock } from "@mixerless/clock";
import {
  formatSpiffeId,
  IdentityError,
  type JoinTokens,
  RENEWAL_HEADER,
  readCertificate,
  readRenewal,
  type SpiffeId,
} from "@mixerless/identity";
import type { CertificateAuthority, IssuedCertificates } from "@mixerless/identity/authority";
import { IstioCertificateService } from "@mixerless/wire/istio/ca/certificate_service";
import { createGrpcService, type GrpcService } from "@mixerless/xds";
import type { AuthorityMetrics } from "./authority-metrics.ts";
import { bearerOf } from "./bearer.ts";

export interface CertificateServiceOptions {
  readonly authority: Pick<CertificateAuthority, "issue">;
  readonly tokens: Pick<JoinTokens, "redeem">;
  /** Hears of every certificate that goes out. */
  readonly issued: Pick<IssuedCertificates, "note">;
  /** PEM of the roots under which a certificate may be renewed. */
  readonly roots: () => readonly string[];
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly metrics: AuthorityMetrics;
}

const SECOND = 1000;

const CODES: Readonly<Record<IdentityError["code"], status>> = {
  "bad-csr": status.INVALID_ARGUMENT,
  "lifetime-too-long": status.INVALID_ARGUMENT,
  "bad-join-token": status.UNAUTHENTICATED,
  "bad-certificate": status.UNAUTHENTICATED,
  "authority-expired": status.INTERNAL,
  "bad-authority-files": status.INTERNAL,
  "not-the-operator": status.UNAUTHENTICATED,
  "too-early": status.FAILED_PRECONDITION,
};

/**
 * Istio's certificate service [control-plane §6.6]. Callers are known by a join token, once, or by the certificate that
 * they renew; who they are comes from there, never from the request.
 */
export function createCertificateService(options: CertificateServiceOptions): GrpcService {
  const { authority, issued, metrics, roots } = options;
  return createGrpcService(IstioCertificateService, {
    createCertificate: ({ request, metadata }, answer) => {
      metrics.requested();
      const issue = async () => {
        const { identity, serial: renewed } = await authenticate(request.csr, metadata, options);
        const certificate = await authority.issue(request.csr, identity, Number(request.validityDuration) * SECOND);
        const { serial, notAfter } = readCertificate(certificate.chain[0] ?? "");
        const root = readCertificate(certificate.chain.at(-1) ?? "").fingerprint;
        await issued.note({ serial, identity: formatSpiffeId(identity), root, notAfter }, renewed);
        return certificate;
      };
      issue().then(
        ({ chain }) => {
          metrics.issued();
          // The last entry is everything that is to be trusted: while roots rotate, more than one [control-plane §6.6].
          answer(null, { certChain: [...chain.slice(0, -1), roots().join("")] });
        },
        (error: unknown) => {
          const known = error instanceof IdentityError ? error : null;
          metrics.failed(known?.code ?? null);
          // What else went wrong is nobody's business but ours.
          const details = known?.message ?? "The certificate could not be issued.";
          answer({ code: known === null ? status.INTERNAL : CODES[known.code], details });
        },
      );
    },
  });
}

/** Who asks, and by which certificate; by none where it joins. */
interface Caller {
  readonly identity: SpiffeId;
  readonly serial: string | null;
}

async function authenticate(csr: string, metadata: Metadata, options: CertificateServiceOptions): Promise<Caller> {
  const { trustDomain, tokens, roots, clock } = options;
  const [renewal] = metadata.get(RENEWAL_HEADER);
  if (renewal !== undefined) {
    const renewed = readRenewal(String(renewal), csr, roots(), clock.now());
    if (renewed.identity.trustDomain === trustDomain) return renewed;
    throw new IdentityError("bad-certificate", "peer", `The renewal is for another trust domain than ${trustDomain}.`);
  }
  const token = bearerOf(metadata.get("authorization"));
  if (token === null)
    throw new IdentityError(
      "bad-join-token",
      "peer",
      "The request carries neither a join token nor a proof of renewal.",
    );
  const { namespace, serviceAccount } = await tokens.redeem(token);
  return { identity: { trustDomain, namespace, serviceAccount }, serial: null };
}
