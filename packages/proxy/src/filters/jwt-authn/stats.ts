import type { MetricStore } from "@mixerless/metrics";

const NAMES = [
  ...["allowed", "denied", "cors_preflight_bypassed"],
  ...["jwks_fetch_success", "jwks_fetch_failed", "jwt_cache_hit", "jwt_cache_miss"],
] as const;

/** Totals of a JWT filter, by Envoy's names. */
export type JwtAuthnStats = Readonly<Record<(typeof NAMES)[number], { add(count: number): void }>>;

export function createJwtAuthnStats(store: MetricStore, manager: string): JwtAuthnStats {
  const counter = (name: string) =>
    store
      .counter({ name: `envoy_http_jwt_authn_${name}`, evictable: false })
      .series(["envoy_http_conn_manager_prefix"], [manager]);
  const stats: Partial<Record<(typeof NAMES)[number], { add(count: number): void }>> = {};
  for (const name of NAMES) stats[name] = counter(name);
  return stats as JwtAuthnStats;
}
