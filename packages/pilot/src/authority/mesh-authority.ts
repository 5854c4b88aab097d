import type { ServerCredentials } from "@grpc/grpc-js";
import type { Clock, Timer } from "@mixerless/clock";
import {
  AuthorityFolder,
  CertificateAuthority,
  openJoinTokens,
  type RotationOptions,
} from "@mixerless/identity/authority";
import type { MetricStore } from "@mixerless/metrics";
import type { GrpcService, XdsServerOptions } from "@mixerless/xds";
import { AuthorityMetrics } from "./authority-metrics.ts";
import { createCertificateService } from "./certificate-service.ts";
import { OwnCertificate } from "./own-certificate.ts";
import { authenticateXds } from "./xds-authentication.ts";

export interface MeshAuthorityOptions extends Pick<RotationOptions, "lifetime" | "overlap" | "maxLeafLifetime"> {
  /** Holds the signing authority and the key of join tokens. */
  readonly folder: string;
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly metrics: MetricStore;
  readonly log: (message: string) => void;
  /** Told when other roots are to be trusted than before. */
  readonly onRoots?: () => void;
}

/** The control plane's certificate authority at work. */
export interface MeshAuthority {
  /** To be served beside discovery, by TLS. */
  readonly service: GrpcService;
  /** Of the control plane's own TLS port. */
  readonly credentials: ServerCredentials;
  readonly authenticate: NonNullable<XdsServerOptions["authenticate"]>;
  /** PEM of every root to be trusted, one an entry. */
  readonly roots: readonly string[];
  /** Makes the next root now; it signs after the overlap. Rejects where an operator's files sign. */
  rotate(): Promise<void>;
  close(): void;
}

/** Changed files of a plugged-in authority are taken over, and the next root is made, within this time. */
const CHECK_INTERVAL = 60_000;

/** Rejects with what is wrong with the folder's files. */
export async function openMeshAuthority(options: MeshAuthorityOptions): Promise<MeshAuthority> {
  const { metrics: store, onRoots, ...given } = options;
  const { trustDomain, clock, log } = options;
  const metrics = new AuthorityMetrics(store);
  let known = "";
  const tellChange = () => {
    metrics.rootExpires(files.signer.facts.notAfter);
    const roots = files.roots.join("");
    if (roots === known) return;
    known = roots;
    own.rootsChanged();
    onRoots?.();
  };
  const files = await AuthorityFolder.open({ ...given, onChange: () => tellChange() });
  const tokens = await openJoinTokens({ folder: options.folder, joinKey: files.joinKey, clock, log });
  known = files.roots.join("");
  metrics.rootExpires(files.signer.facts.notAfter);
  const authority = new CertificateAuthority({ clock, signer: () => files.signer });
  const roots = () => files.roots;
  const own = await OwnCertificate.create({ authority, roots, trustDomain, clock, log });
  const timer: Timer = clock.every(CHECK_INTERVAL, () => void files.check().then(tellChange));
  return {
    service: createCertificateService({ authority, tokens, roots, trustDomain, clock, metrics }),
    credentials: own.credentials,
    authenticate: authenticateXds({ tokens, trustDomain, clock }),
    get roots() {
      return files.roots;
    },
    rotate: () => files.rotate(),
    close: () => {
      timer.cancel();
      own.close();
    },
  };
}
