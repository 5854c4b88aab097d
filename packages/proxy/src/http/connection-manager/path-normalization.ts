/** What `normalize_path` and its neighbours ask for. */
export interface PathOptions {
  readonly normalize: boolean;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes: "keep" | "reject" | "unescape-and-redirect" | "unescape-and-forward";
}

/** The path to go on with, or what to do instead. */
export type NormalizedPath =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "redirect"; readonly path: string }
  | { readonly kind: "reject" };

const REJECT: NormalizedPath = { kind: "reject" };
const ESCAPED_SLASH = /%(?:2f|5c)/i;
/** Stands for a percent sign that begins no escape; no path holds it, for paths are byte strings. */
const STRAY = "\u0100";
const STRAY_ESCAPE = new RegExp(`${STRAY}(?=[0-9a-fA-F]{2})`, "g");
/** A dot segment, also with parameters behind it: Java servers resolve `..;x` as `..`, and Envoy does. */
const DOTS = /^(\.\.?)(?:;|$)/;
/** A path for which normalizing would change nothing: most of them. */
const NEEDS_WORK = /[%\\]|\/\.|\/\//;

/**
 * Normalizes a `:path` as RFC 3986 §6 and Envoy say: escaped unreserved characters are decoded, back slashes become
 * slashes, dot segments are removed, then slashes are merged if asked. The query stays as it is. Null: nothing to
 * change, which costs no allocation.
 */
export function normalizePath(path: string, options: PathOptions): NormalizedPath | null {
  if (!NEEDS_WORK.test(path)) return null;
  const query = path.indexOf("?");
  let plain = query < 0 ? path : path.slice(0, query);
  const rest = query < 0 ? "" : path.slice(query);
  let redirect = false;
  if (options.escapedSlashes !== "keep" && ESCAPED_SLASH.test(plain)) {
    if (options.escapedSlashes === "reject") return REJECT;
    plain = plain.replace(/%2f/gi, "/").replace(/%5c/gi, "\\");
    redirect = options.escapedSlashes === "unescape-and-redirect";
  }
  if (options.normalize) {
    const canonical = canonicalize(plain);
    if (canonical === null) return REJECT;
    plain = canonical;
  }
  if (options.mergeSlashes) plain = plain.replace(/\/{2,}/g, "/");
  return { kind: redirect ? "redirect" : "path", path: plain + rest };
}

/** Null where the path holds an escaped NUL or is not absolute. A path that climbs above its root stays there. */
function canonicalize(path: string): string | null {
  if (!path.startsWith("/") && !path.startsWith("\\")) return null;
  let bad = false;
  const unescaped = path.replaceAll("\\", "/").replace(/%([0-9a-fA-F]{2})?/g, (text, hex: string | undefined) => {
    if (hex === undefined) return STRAY;
    if (hex === "00") {
      bad = true;
      return text;
    }
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9\-._~]/.test(char) ? char : text;
  });
  if (bad) return null;
  // What was unescaped must not complete an escape that was none: /%2%65 would become /%2e, for the application to read.
  const decoded = unescaped.replace(STRAY_ESCAPE, "%25").replaceAll(STRAY, "%");
  const segments: string[] = [];
  const parts = decoded.slice(1).split("/");
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    const dots = DOTS.exec(part)?.[1];
    if (dots !== undefined) {
      if (dots === "..") segments.pop();
      if (last) segments.push("");
    } else {
      segments.push(part);
    }
  }
  return `/${segments.join("/")}`;
}
