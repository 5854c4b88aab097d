import { bySpecificity, hostCovers } from "../config/host-name.ts";

/** Of those that name a host, the one that names it most closely: by itself, else by the longest wildcard; else the first [control-plane §7.3]. */
export function mostSpecific<T extends { readonly hosts: readonly string[] }>(
  candidates: readonly T[],
  hostname: string,
): T | undefined {
  let best: { readonly candidate: T; readonly host: string } | undefined;
  for (const candidate of candidates) {
    for (const host of candidate.hosts) {
      if (!hostCovers(host, hostname)) continue;
      if (best === undefined || (host !== best.host && bySpecificity(host, best.host) < 0)) best = { candidate, host };
    }
  }
  return best?.candidate;
}
