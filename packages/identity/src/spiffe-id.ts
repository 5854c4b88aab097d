/** Who a workload is: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` [control-plane §6.6]. */
export interface SpiffeId {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** The host name by which workloads know the control plane, wherever it runs. No workload gets a certificate with it. */
export const CONTROL_PLANE_NAME = "istiod.istio-system.svc";

const SCHEME = "spiffe://";
/** The SPIFFE standard allows no more. */
const MAX_BYTES = 2048;
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const SEGMENT = /^[A-Za-z0-9._-]+$/;

export function formatSpiffeId({ trustDomain, namespace, serviceAccount }: SpiffeId): string {
  return `${SCHEME}${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/**
 * Reads an identity of Istio's form, or null. Nothing is normalised: what has an upper-case trust domain,
 * an escape, a port, an empty or dotted segment or anything behind the service account is no identity.
 */
export function parseSpiffeId(text: string): SpiffeId | null {
  if (text.length > MAX_BYTES || !text.startsWith(SCHEME)) return null;
  const [trustDomain = "", ns, namespace = "", sa, serviceAccount = "", ...rest] = text.slice(SCHEME.length).split("/");
  if (ns !== "ns" || sa !== "sa" || rest.length > 0) return null;
  if (!TRUST_DOMAIN.test(trustDomain) || !isSegment(namespace) || !isSegment(serviceAccount)) return null;
  return { trustDomain, namespace, serviceAccount };
}

/** True for what may stand between two slashes. */
export function isSegment(text: string): boolean {
  return SEGMENT.test(text) && text !== "." && text !== "..";
}

/** True for a name that a mesh may have as its trust domain. */
export function isTrustDomain(text: string): boolean {
  return TRUST_DOMAIN.test(text);
}
