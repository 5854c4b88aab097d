import type { Clock, Timer } from "@mixerless/clock";
import { JoinTokens } from "@mixerless/identity";
import { AuthorityFolder, CertificateAuthority } from "@mixerless/identity/authority";
import type { MetricStore } from "@mixerless/metrics";
import type { GrpcService } from "@mixerless/xds";
import { AuthorityMetrics } from "./authority-metrics.ts";
import { createCertificateService } from "./certificate-service.ts";

export interface MeshAuthorityOptions {
  /** Holds the signing authority and the key of join tokens. */
  readonly folder: string;
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly metrics: MetricStore;
  readonly log: (message: string) => void;
}

/** The control plane's certificate authority at work. */
export interface MeshAuthority {
  /** To be served beside discovery. */
  readonly service: GrpcService;
  /** PEM of every root to be trusted, one an entry. */
  readonly roots: readonly string[];
  close(): void;
}

/** Changed files of a plugged-in authority are taken over, and the next root is made, within this time. */
const CHECK_INTERVAL = 60_000;

/** Rejects with what is wrong with the folder's files. */
export async function openMeshAuthority(options: MeshAuthorityOptions): Promise<MeshAuthority> {
  const { folder, trustDomain, clock, log } = options;
  const metrics = new AuthorityMetrics(options.metrics);
  const files = await AuthorityFolder.open({ folder, trustDomain, clock, log });
  const showExpiry = () => metrics.rootExpires(files.signer.facts.notAfter);
  showExpiry();
  const timer: Timer = clock.every(CHECK_INTERVAL, () => void files.check().then(showExpiry));
  const service = createCertificateService({
    authority: new CertificateAuthority({ clock, signer: () => files.signer }),
    tokens: new JoinTokens(files.joinKey, clock),
    roots: () => files.roots,
    trustDomain,
    clock,
    metrics,
  });
  return {
    service,
    get roots() {
      return files.roots;
    },
    close: () => timer.cancel(),
  };
}
