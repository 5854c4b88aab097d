type Labels = readonly (readonly [name: string, value: string])[];

/** Labels that Envoy takes out of the names of its own stats, and where in the name they stand. */
const PREFIXES: readonly (readonly [family: string, label: string, prefix: string])[] = [
  ["envoy_http_", "envoy_http_conn_manager_prefix", "http"],
  ["envoy_tcp_", "envoy_tcp_prefix", "tcp"],
  ["envoy_cluster_", "envoy_cluster_name", "cluster"],
  ["envoy_cluster_", "cluster_name", "cluster"],
  ["envoy_listener_", "envoy_listener_address", "listener"],
  ["envoy_listener_", "listener_address", "listener"],
];

const RULES = "envoy_rbac_http_prefix";
/** What has a place of its own below the listener, the cluster or the connection manager. */
const OWN_PLACES = [/^(ssl|rbac|jwt_authn)_/, /^((?:server|client)_ssl_socket_factory)_/];
const CLASS = "envoy_response_code_class";

/**
 * The name in dots that Envoy shows for a series: the labels of its own stats go back to where they were taken from,
 * those of Istio's metrics follow the name in pairs.
 */
export function statName(metric: string, labels: Labels): string {
  const network = labels.find(([name]) => name === "envoy_rbac_prefix")?.[1];
  if (network !== undefined)
    return `${network}.rbac.${metric.replace(/^envoy_(rbac_)?/, "").replace(/_(shadow_(?:allowed|denied))$/, ".$1")}`;
  for (const [family, label, prefix] of PREFIXES) {
    const value = labels.find(([name]) => name === label)?.[1];
    if (value === undefined || !metric.startsWith(family)) continue;
    const statusClass = labels.find(([name]) => name === CLASS)?.[1];
    const rest = OWN_PLACES.reduce((name, place) => name.replace(place, "$1."), metric.slice(family.length));
    const rules = labels.find(([name]) => name === RULES)?.[1];
    if (rules !== undefined) return `${prefix}.${value}.${rest.replace("rbac.", `rbac.${rules}.`)}`;
    const stat = statusClass !== undefined && rest.endsWith("_xx") ? `${rest.slice(0, -3)}_${statusClass}xx` : rest;
    return withPairs(
      `${prefix}.${value}.${stat}`,
      labels.filter(([name]) => name !== label && name !== CLASS),
    );
  }
  return withPairs(metric.startsWith("istio_") ? `istiocustom.${metric}` : metric, labels);
}

function withPairs(name: string, labels: Labels): string {
  return labels.reduce((all, [label, value]) => `${all}.${label}.${value}`, name);
}
