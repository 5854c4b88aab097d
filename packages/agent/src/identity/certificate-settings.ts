import { readFile } from "node:fs/promises";
import { certificateClient } from "./certificate-client.ts";
import { readTokenFile } from "./token-file.ts";
import { WorkloadCertificate, type WorkloadCertificateOptions } from "./workload-certificate.ts";

/** How a workload comes by its certificate. */
export interface CertificateSettings {
  /** `host:port` of the certificate service. */
  readonly authority: string;
  /** PEM of the roots that the control plane's certificate must lead to. */
  readonly rootFile: string;
  /** The file of a join token, read when it is needed, so that it can be replaced; or what makes one. */
  readonly token: string | (() => string);
  /** Milliseconds that a certificate is to live; 0 leaves it to the authority. */
  readonly lifetime: number;
}

type Given = Omit<WorkloadCertificateOptions, "request" | "token" | "roots" | "lifetime" | "random">;

export function certificateFrom(settings: CertificateSettings, given: Given): WorkloadCertificate {
  const { authority, rootFile, token, lifetime } = settings;
  return new WorkloadCertificate({
    ...given,
    random: Math.random,
    request: certificateClient(authority),
    token: async () => (typeof token === "string" ? readTokenFile(token) : token()),
    roots: () => readFile(rootFile, "utf8"),
    lifetime,
  });
}
