import type { Clock } from "@mixerless/clock";
import type { SpiffeId } from "@mixerless/identity";
import { MetricStore } from "@mixerless/metrics";
import { type CertificateSettings, certificateFrom } from "./certificate-settings.ts";
import { IdentitySeries } from "./identity-series.ts";
import { SecretServer } from "./secret-server.ts";

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

/**
 * Milliseconds. Here the control plane's stream, which tells of new roots, goes to Envoy; roots come with each renewal
 * only, at half of this time, and a new root is to be trusted an hour before it signs.
 */
const LONGEST_LIFE = 3_600_000;

export function runSecretAgent({ workload, certificate, socket, clock, log }: SecretAgentOptions): SecretAgent {
  const secrets = new SecretServer(socket, clock);
  const lifetime = Math.min(certificate.lifetime || LONGEST_LIFE, LONGEST_LIFE);
  // Nobody scrapes this process; Envoy has series of its own about its certificates.
  const store = new MetricStore({ clock });
  const series = new IdentitySeries(store, clock);
  const own = certificateFrom({ ...certificate, lifetime }, { workload, secrets, clock, log, series });
  return {
    whenReady: own.start().then(() => secrets.start()),
    close: () => {
      own.close();
      store.close();
      return secrets.close();
    },
  };
}
