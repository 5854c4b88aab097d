import type { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";
import type { LocalReply } from "../http-filter.ts";
import type { ManagerConfig } from "./manager-config.ts";
import { normalizePath } from "./path-normalization.ts";
import { strippedAuthority } from "./request-headers.ts";
import type { HttpConnectionManagerStats } from "./stats.ts";

/**
 * Checks and normalizes what routing rests on: authority, path, upgrade. Gives the reply to a request that cannot be
 * served, with Envoy's details; null where all is well.
 */
export function checkRequest(headers: HeaderMap, config: ManagerConfig, localPort: number): LocalReply | null {
  const authority = headers.get(H.authority);
  if (authority === null) return reply(400, "missing_host_header");
  const { request } = config;
  if (request.stripPort !== "no" || request.stripTrailingDot) {
    const stripped = strippedAuthority(authority, request, localPort);
    if (stripped !== authority) headers.set(H.authority, stripped);
  }
  const upgrade = headers.get(H.upgrade);
  if (upgrade !== null && config.upgrades.get(upgrade.toLowerCase()) !== true) return reply(403, "upgrade_failed");
  return checkPath(headers, config);
}

export function countRefusal(refused: LocalReply, stats: HttpConnectionManagerStats): void {
  if (refused.details === "upgrade_failed") stats.upgradeRefused.add(1);
  else if (refused.details === "absolute_path_rejected") stats.nonRelativePath.add(1);
  else if (refused.details === "path_normalization_failed") {
    if (refused.status === 307) stats.pathRedirected.add(1);
    else stats.pathRefused.add(1);
  }
}

function checkPath(headers: HeaderMap, config: ManagerConfig): LocalReply | null {
  let path = headers.get(H.path);
  if (path === null || path === "") return reply(404, "missing_path_rejected");
  // As Istio's proxies are told to, a fragment is cut off rather than refused.
  const fragment = path.indexOf("#");
  if (fragment >= 0) {
    path = path.slice(0, fragment);
    headers.set(H.path, path);
  }
  if (path.charCodeAt(0) !== 47) return reply(404, "absolute_path_rejected");
  const normalized = normalizePath(path, config.request.path);
  if (normalized === null) return null;
  switch (normalized.kind) {
    case "reject":
      return reply(400, "path_normalization_failed");
    case "redirect":
      return {
        ...reply(307, "path_normalization_failed"),
        edit: (response) => response.set(H.location, normalized.path),
      };
    case "path":
      if (normalized.path !== path) headers.set(H.path, normalized.path);
      return null;
  }
}

function reply(status: number, details: string): LocalReply {
  return { status, body: "", details, flags: 0 };
}
