import type { ServerCredentials } from "@grpc/grpc-js";
import type { Clock, Timer } from "@mixerless/clock";
import {
  AuthorityFolder,
  CertificateAuthority,
  IssuedCertificates,
  openJoinTokens,
  type RotationOptions,
} from "@mixerless/identity/authority";
import type { MetricStore } from "@mixerless/metrics";
import type { GrpcService, PeerIdentity, ProxyConnection, XdsServerOptions } from "@mixerless/xds";
import { AuthorityMetrics } from "./authority-metrics.ts";
import { createCertificateService } from "./certificate-service.ts";
import { ExpiryWarning } from "./expiry-warning.ts";
import { OwnCertificate } from "./own-certificate.ts";
import { RootChange } from "./root-change.ts";
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
  /** The streams of now, whose clients have to know a root before it signs. */
  readonly connections?: () => readonly ProxyConnection[];
}

/** The control plane's certificate authority at work. */
export interface MeshAuthority {
  /** To be served beside discovery, by TLS. */
  readonly service: GrpcService;
  /** Of the control plane's own TLS port. */
  readonly credentials: ServerCredentials;
  readonly authenticate: NonNullable<XdsServerOptions["authenticate"]>;
  /** PEM of every root to be trusted, one an entry; the one that signs first. */
  readonly trusted: readonly string[];
  /** To see and to change the roots. */
  readonly roots: Pick<RootChange, "status" | "take">;
  /** When the certificate expires that a client has by now, in milliseconds since the epoch; null where it has shown none. */
  expiryOf(client: PeerIdentity | null): number | null;
  close(): void;
}

/** Changed files of a plugged-in authority are taken over, and the next root is made, within this time. */
const CHECK_INTERVAL = 60_000;

/** Rejects with what is wrong with the folder's files. */
export async function openMeshAuthority(options: MeshAuthorityOptions): Promise<MeshAuthority> {
  const { metrics: store, onRoots, connections = () => [], ...given } = options;
  const { trustDomain, clock, log } = options;
  const metrics = new AuthorityMetrics(store, () => clock.now());
  let known = "";
  const tellChange = () => {
    metrics.signerChanged(files.signer);
    const roots = files.roots.join("");
    if (roots === known) return;
    known = roots;
    own.rootsChanged();
    onRoots?.();
  };
  const files = await AuthorityFolder.open({ ...given, onChange: () => tellChange() });
  const tokens = await openJoinTokens({ folder: options.folder, joinKey: files.joinKey, clock, log });
  known = files.roots.join("");
  metrics.signerChanged(files.signer);
  const issued = await IssuedCertificates.open({ folder: options.folder, clock, log });
  const authority = new CertificateAuthority({ clock, signer: () => files.signer });
  const roots = () => files.roots;
  const own = await OwnCertificate.create({
    // Who was away while the roots changed still knows the old one.
    authority: new CertificateAuthority({ clock, signer: () => files.oldestSigner }),
    ...{ roots, trustDomain, clock, log },
  });
  const expiry = new ExpiryWarning(clock, log);
  expiry.look(files.signer);
  const timer: Timer = clock.every(
    CHECK_INTERVAL,
    () =>
      void files.check().then(() => {
        tellChange();
        expiry.look(files.signer);
      }),
  );
  return {
    service: createCertificateService({ authority, tokens, issued, roots, trustDomain, clock, metrics }),
    credentials: own.credentials,
    authenticate: authenticateXds({ tokens, trustDomain, clock }),
    get trusted() {
      return files.roots;
    },
    roots: new RootChange({ files, issued, clock, log, connections }),
    expiryOf: (client) =>
      client?.certificate === undefined
        ? null
        : (issued.expiryOf(client.certificate.serial) ?? client.certificate.notAfter),
    close: () => {
      timer.cancel();
      own.close();
    },
  };
}
