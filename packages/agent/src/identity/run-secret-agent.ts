import type { Clock } from "@mixerless/clock";
import type { SpiffeId } from "@mixerless/identity";
import { MetricStore } from "@mixerless/metrics";
import { decodeBootstrap, openConfigStream, SecretStore } from "@mixerless/proxy";
import { formatFault } from "@mixerless/wire";
import { createRootsBootstrap } from "../bootstrap.ts";
import { type CertificateSettings, certificateFrom } from "./certificate-settings.ts";
import { IdentitySeries } from "./identity-series.ts";
import { SecretServer } from "./secret-server.ts";
import type { WorkloadCertificate } from "./workload-certificate.ts";

export interface SecretAgentOptions {
  readonly workload: Pick<SpiffeId, "namespace" | "serviceAccount">;
  readonly certificate: CertificateSettings;
  /** Path of the Unix socket, in a folder that nobody else can enter. */
  readonly socket: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/** Gives an Envoy that somebody else runs the certificate of its workload. */
export interface SecretAgent {
  /** Resolves when there is a certificate and the socket serves it. */
  readonly whenReady: Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds. A new root is to be trusted an hour before it signs: who missed the news has it by then. */
const LONGEST_LIFE = 3_600_000;

/**
 * Serves secrets to an Envoy. Its stream of configuration goes from Envoy to the control plane, so news of the roots come
 * here by a stream of our own.
 */
export function runSecretAgent({ workload, certificate, socket, clock, log }: SecretAgentOptions): SecretAgent {
  const server = new SecretServer(socket, clock);
  // What the stream to the control plane shows and trusts.
  const own = new SecretStore();
  const secrets: Pick<SecretStore, "set"> = {
    set: (name, value) => {
      own.set(name, value);
      server.set(name, value);
    },
  };
  const lifetime = Math.min(certificate.lifetime || LONGEST_LIFE, LONGEST_LIFE);
  // Nobody scrapes this process; Envoy has series of its own about its certificates.
  const store = new MetricStore({ clock });
  const series = new IdentitySeries(store, clock);
  const held = certificateFrom({ ...certificate, lifetime }, { workload, secrets, clock, log, series });
  let news: { close(): Promise<void> } | null = null;
  let closed = false;
  return {
    whenReady: held
      .start()
      .then(() => server.start())
      .then(async () => {
        if (closed) return;
        const opened = await followRoots(workload, certificate.authority, held, own, clock, log);
        if (closed) await opened?.close();
        else news = opened;
      }),
    close: async () => {
      closed = true;
      held.close();
      store.close();
      await Promise.all([server.close(), news?.close()]);
    },
  };
}

function followRoots(
  workload: SecretAgentOptions["workload"],
  authority: string,
  held: WorkloadCertificate,
  secrets: SecretStore,
  clock: Clock,
  log: (message: string) => void,
) {
  const colon = authority.lastIndexOf(":");
  const discovery = { host: authority.slice(0, colon), port: Number(authority.slice(colon + 1)) };
  const bootstrap = decodeBootstrap(createRootsBootstrap(workload, discovery));
  if (bootstrap.faults !== undefined) throw new Error(bootstrap.faults.map(formatFault).join("; "));
  return openConfigStream(bootstrap.message, {
    ...{ clock, log, secrets, cacheFile: null },
    onUpdate: () => [],
    onSecrets: () => [],
    onMeshRoots: (roots) => held.trust(roots),
  });
}
