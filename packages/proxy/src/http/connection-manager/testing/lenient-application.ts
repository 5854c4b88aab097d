/** The modes of the mesh's `pathNormalization`. */
export type Mode = "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";

/**
 * How an application may read a path at most, for a mode to protect it. Written apart from the proxy's own code: dots
 * are resolved as browsers do it.
 */
export const APPLICATION: Readonly<Record<Mode, (path: string) => string>> = {
  NONE: (path) => path,
  BASE: resolved,
  MERGE_SLASHES: (path) => resolved(path).replace(/\/+/g, "/"),
  DECODE_AND_MERGE_SLASHES: (path) =>
    resolved(
      path
        .replace(/%2f/gi, "/")
        .replace(/%5c/gi, "\\")
        .replace(/[/\\]+/g, "/"),
    ).replace(/\/+/g, "/"),
};

function resolved(path: string): string {
  const plain = unescaped(path.replaceAll("\\", "/"));
  // As Java servers do: parameters of a segment are no part of its name.
  const { pathname } = new URL(`http://x${plain.replace(/\/(\.\.?);[^/]*/g, "/$1")}`);
  return unescaped(pathname);
}

function unescaped(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (escaped) => {
    const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[\w.~-]/.test(char) ? char : escaped;
  });
}
