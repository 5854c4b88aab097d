import type { MatcherFault } from "./fault.ts";
import type { TextTest } from "./regex.ts";

/** Chars that a path segment may hold, as Envoy's templates read them. */
const SEGMENT = /^[A-Za-z0-9\-._~%!$&'()+,;:@=]+$/;
const VARIABLE = /^\{([A-Za-z][A-Za-z0-9_]*)(?:=(.+))?\}$/;

type Piece = { readonly literal: string } | "one" | "rest";

/**
 * Compiles a URI template: `*` or `{name}` stands for one segment, `**` or `{name=**}`, which must come
 * last but for literals, for any number of them. Everything else is literal. Walks the path once for each
 * template, and never back over what `*` took.
 */
export function compilePathTemplate(template: string, path: string, faults: MatcherFault[]): TextTest {
  const problem = (message: string): TextTest => {
    faults.push({ path, message: `"${template}" is not a path template: ${message}` });
    return () => false;
  };
  if (!template.startsWith("/")) return problem("it must begin with /");
  const pieces: Piece[] = [];
  for (const part of template.slice(1).split("/")) {
    const pattern = VARIABLE.exec(part) === null ? part : (VARIABLE.exec(part)?.[2] ?? "*");
    if (pattern === "*") pieces.push("one");
    else if (pattern === "**") pieces.push("rest");
    else if (/[*{}]/.test(pattern)) return problem(`"${part}" mixes a wildcard with something else`);
    else pieces.push({ literal: pattern });
  }
  const rest = pieces.indexOf("rest");
  if (rest >= 0 && pieces.lastIndexOf("rest") !== rest) return problem("** may stand once");
  if (rest >= 0 && pieces.slice(rest).includes("one")) return problem("* may not follow **");
  return (text) => {
    if (!text.startsWith("/")) return false;
    const segments = text.slice(1).split("/");
    return rest < 0 ? matchesAll(pieces, segments) : matchesAround(pieces, rest, segments);
  };
}

function matchesAll(pieces: readonly Piece[], segments: readonly string[]): boolean {
  return pieces.length === segments.length && pieces.every((piece, i) => matchesOne(piece, segments[i] ?? ""));
}

/** `**` takes what lies between the pieces before and those after it, at least one segment, be it empty. */
function matchesAround(pieces: readonly Piece[], rest: number, segments: readonly string[]): boolean {
  const after = pieces.length - rest - 1;
  if (segments.length < rest + after + 1) return false;
  const tail = segments.length - after;
  return (
    matchesAll(pieces.slice(0, rest), segments.slice(0, rest)) &&
    segments.slice(rest, tail).every((segment) => segment === "" || SEGMENT.test(segment)) &&
    matchesAll(pieces.slice(rest + 1), segments.slice(tail))
  );
}

function matchesOne(piece: Piece, segment: string): boolean {
  return typeof piece === "object" ? piece.literal === segment : SEGMENT.test(segment);
}
