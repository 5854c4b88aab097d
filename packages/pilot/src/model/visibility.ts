/** A resolved `exportTo`: everybody, nobody, or these namespaces. */
export type Visibility = "public" | "none" | ReadonlySet<string>;

/** Reads an `exportTo` of an object in `namespace`; empty means the default of the mesh (§7.1). */
export function resolveVisibility(
  exportTo: readonly string[],
  namespace: string,
  meshDefault: readonly string[],
): Visibility {
  const entries = exportTo.length > 0 ? exportTo : meshDefault;
  if (entries.length === 0 || entries.includes("*")) return "public";
  if (entries.includes("~")) return "none";
  return new Set(entries.map((entry) => (entry === "." ? namespace : entry)));
}

export function isVisibleTo(visibility: Visibility, namespace: string): boolean {
  if (visibility === "public") return true;
  return visibility !== "none" && visibility.has(namespace);
}

/** Whether everybody who sees `inner` sees `outer` too. */
export function includesVisibility(outer: Visibility, inner: Visibility): boolean {
  if (outer === "public" || inner === "none") return true;
  if (outer === "none" || inner === "public") return false;
  return [...inner].every((namespace) => outer.has(namespace));
}

/** Whether only the object's own namespace sees it. */
export function isPrivate(visibility: Visibility, namespace: string): boolean {
  return visibility !== "public" && visibility !== "none" && visibility.size === 1 && visibility.has(namespace);
}
