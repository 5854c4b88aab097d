import type { MetricStore } from "@mixerless/metrics";

/** Totals of decisions, by Envoy's names. */
export interface RbacStats {
  count(allowed: boolean): void;
  countShadow(allowed: boolean): void;
}

/** Of an HTTP filter, below its connection manager. The prefixes of the rules are labels, as Envoy's own tags make them. */
export function createHttpRbacStats(store: MetricStore, manager: string, prefix: string, shadow: string): RbacStats {
  const counter = (name: string, own: string) => {
    const family = store.counter({ name: `envoy_http_rbac_${name}`, evictable: false });
    return own === ""
      ? family.series(["envoy_http_conn_manager_prefix"], [manager])
      : family.series(["envoy_rbac_http_prefix", "envoy_http_conn_manager_prefix"], [own, manager]);
  };
  return rbacStats(
    (name) => counter(name, prefix),
    (name) => counter(name, shadow),
  );
}

/**
 * Of a network filter, whose own prefix ends with a dot. Two of Envoy's tags fit `tcp.rbac.…`, the usual one, and
 * both are taken out of the name, so that nothing of it is left but the end.
 */
export function createNetworkRbacStats(store: MetricStore, statPrefix: string, shadow: string): RbacStats {
  const own = /^(\w+)\.$/.exec(statPrefix)?.[1];
  const labels =
    own === undefined ? {} : { envoy_rbac_prefix: own, ...(own === "tcp" && { envoy_tcp_prefix: "rbac" }) };
  const family = own === undefined ? `${statPrefix}rbac.` : own === "tcp" ? "" : "rbac.";
  const counter = (name: string) =>
    store
      .counter({ name: `envoy_${sanitize(family + name)}`, evictable: false })
      .series(Object.keys(labels), Object.values(labels));
  return rbacStats(counter, (name) => counter(shadow === "" ? name : `${shadow}.${name}`));
}

type CounterOf = (name: string) => { add(n: number): void };

function rbacStats(counter: CounterOf, shadow: CounterOf): RbacStats {
  const allowed = counter("allowed");
  const denied = counter("denied");
  const shadowAllowed = shadow("shadow_allowed");
  const shadowDenied = shadow("shadow_denied");
  return {
    count: (yes) => (yes ? allowed : denied).add(1),
    countShadow: (yes) => (yes ? shadowAllowed : shadowDenied).add(1),
  };
}

function sanitize(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, "_");
}
