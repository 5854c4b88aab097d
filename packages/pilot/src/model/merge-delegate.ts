// Delegation of HTTP routes (§7.2): one level, only where both sides can match the same request.
import type { StringMatch } from "../config/kinds/common.ts";
import type { HttpMatch } from "../config/kinds/virtual-service.ts";
import { mergeLabels } from "./labels.ts";
import type { ResolvedHttpRoute, ResolvedVirtualService } from "./virtual-service.ts";

/** The routes of a delegate under the conditions of the root's route. */
export function mergeDelegate(root: ResolvedHttpRoute, delegate: ResolvedVirtualService): ResolvedHttpRoute[] {
  return delegate.http.flatMap((route) => {
    const match = mergeMatches(root.match, route.match);
    return match === undefined ? [] : [mergeRoute(root, route, match)];
  });
}

/** Undefined when a condition of the delegate can't be met under the root. */
function mergeMatches(root: readonly HttpMatch[], delegate: readonly HttpMatch[]): readonly HttpMatch[] | undefined {
  if (root.length === 0) return delegate;
  if (delegate.length === 0) return root;
  const merged: HttpMatch[] = [];
  for (const inner of delegate) {
    const partners = root.filter((outer) => isCompatible(outer, inner));
    if (partners.length === 0) return undefined;
    for (const outer of partners) merged.push(mergeMatch(outer, inner));
  }
  return Object.freeze(merged);
}

function isCompatible(root: HttpMatch, delegate: HttpMatch): boolean {
  if (root.ignoreUriCase !== delegate.ignoreUriCase || root.sourceNamespace !== delegate.sourceNamespace) return false;
  if (root.port !== undefined && delegate.port !== undefined && root.port !== delegate.port) return false;
  if (!(["uri", "scheme", "method", "authority"] as const).every((field) => narrows(root[field], delegate[field])))
    return false;
  for (const field of ["headers", "withoutHeaders", "queryParams"] as const) {
    for (const [name, match] of Object.entries(delegate[field])) if (!narrows(root[field][name], match)) return false;
  }
  for (const [label, value] of Object.entries(delegate.sourceLabels)) {
    if (root.sourceLabels[label] !== undefined && root.sourceLabels[label] !== value) return false;
  }
  return root.gateways.length === 0 || delegate.gateways.every((gateway) => root.gateways.includes(gateway));
}

/** Whether the delegate's condition lies within the root's. Expressions can't be compared, so they never do. */
function narrows(root: StringMatch | undefined, delegate: StringMatch | undefined): boolean {
  if (root === undefined || delegate === undefined || root.type === "present") return true;
  if (delegate.type === "present" || root.type === "regex" || delegate.type === "regex") return false;
  if (root.type === "exact") return delegate.type === "exact" && delegate.value === root.value;
  return delegate.value.startsWith(root.value);
}

function mergeMatch(root: HttpMatch, delegate: HttpMatch): HttpMatch {
  // Spreading keeps the root's conditions where the delegate has none: absent fields are absent keys.
  return Object.freeze<HttpMatch>({
    ...root,
    ...delegate,
    name: joinNames(root.name, delegate.name),
    headers: mergeConditions(root.headers, delegate.headers),
    withoutHeaders: mergeConditions(root.withoutHeaders, delegate.withoutHeaders),
    queryParams: mergeConditions(root.queryParams, delegate.queryParams),
    sourceLabels: mergeLabels(root.sourceLabels, delegate.sourceLabels),
    gateways: delegate.gateways.length > 0 ? delegate.gateways : root.gateways,
    statPrefix: delegate.statPrefix || root.statPrefix,
  });
}

type Conditions = Readonly<Record<string, StringMatch>>;

function mergeConditions(root: Conditions, delegate: Conditions): Conditions {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, StringMatch>, root, delegate));
}

/** Settings of the delegate win; those that it lacks are inherited. */
function mergeRoute(
  root: ResolvedHttpRoute,
  delegate: ResolvedHttpRoute,
  match: readonly HttpMatch[],
): ResolvedHttpRoute {
  const { redirect: _redirect, route: _route, ...inherited } = root;
  return Object.freeze<ResolvedHttpRoute>({
    ...inherited,
    ...delegate,
    match,
    name: joinNames(root.name, delegate.name),
    mirrors: delegate.mirrors.length > 0 ? delegate.mirrors : root.mirrors,
  });
}

function joinNames(root: string, delegate: string): string {
  return [root, delegate].filter((name) => name !== "").join("-");
}
