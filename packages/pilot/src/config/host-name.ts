// How host names with a leading wildcard relate (control-plane §7.1). All names in lower case.

export function isWildcard(host: string): boolean {
  return host.startsWith("*");
}

/** Whether the names have a host in common: equal, or either is a wildcard that covers the other. */
export function hostsMatch(a: string, b: string): boolean {
  return hostCovers(a, b) || hostCovers(b, a);
}

/** Whether every host that `inner` names is named by `outer` too. */
export function hostCovers(outer: string, inner: string): boolean {
  if (!isWildcard(outer)) return outer === inner;
  if (isWildcard(inner) && inner.length < outer.length) return false;
  return inner.slice(isWildcard(inner) ? 1 : 0).endsWith(outer.slice(1));
}

/** Most specific first: exact names, then longer wildcards, then the alphabet. */
export function bySpecificity(a: string, b: string): number {
  if (isWildcard(a) !== isWildcard(b)) return isWildcard(a) ? 1 : -1;
  return b.length - a.length || (a < b ? -1 : a > b ? 1 : 0);
}
