import type { MetricStore } from "@mixerless/metrics";

/** Totals of decisions, by Envoy's names. */
export interface RbacStats {
  count(allowed: boolean): void;
  countShadow(allowed: boolean): void;
}

/** Of an HTTP filter: below its connection manager. `prefix` is the rules' own, which Envoy puts into the name. */
export function createHttpRbacStats(store: MetricStore, manager: string, prefix: string, shadow: string): RbacStats {
  const counter = (name: string) =>
    store
      .counter({ name: `envoy_http_rbac_${sanitize(name)}`, evictable: false })
      .series(["envoy_http_conn_manager_prefix"], [manager]);
  return rbacStats(counter, prefix, shadow);
}

/** Of a network filter, whose own prefix ends with a dot. */
export function createNetworkRbacStats(store: MetricStore, statPrefix: string, shadow: string): RbacStats {
  const counter = (name: string) =>
    store.counter({ name: `envoy_${sanitize(`${statPrefix}rbac_${name}`)}`, evictable: false }).series([], []);
  return rbacStats(counter, "", shadow);
}

function rbacStats(counter: (name: string) => { add(n: number): void }, prefix: string, shadow: string): RbacStats {
  const allowed = counter(`${prefix}allowed`);
  const denied = counter(`${prefix}denied`);
  const shadowAllowed = counter(`${shadow}shadow_allowed`);
  const shadowDenied = counter(`${shadow}shadow_denied`);
  return {
    count: (yes) => (yes ? allowed : denied).add(1),
    countShadow: (yes) => (yes ? shadowAllowed : shadowDenied).add(1),
  };
}

function sanitize(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, "_");
}
