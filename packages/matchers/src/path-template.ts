import type { MatcherFault } from "./fault.ts";
import type { TextTest } from "./regex.ts";

/** Chars that a wildcard takes, as Envoy's templates read them; `**` also takes slashes. */
const SEGMENT_CHARS = /^[A-Za-z0-9\-._~%!$&'()*+,;:@=]*$/;
const PATH_CHARS = /^[A-Za-z0-9\-._~%!$&'()*+,;:@=/]*$/;
const VARIABLE = /\{[A-Za-z][A-Za-z0-9_]*(?:=([^{}]+))?\}/g;

/** Of a segment: texts, between each two of which stands a `*`. */
type Segment = readonly string[];

/** From `**` on: what its own segment begins with, and the text that the path must end with. */
interface Rest {
  readonly before: Segment;
  readonly end: string;
}

/**
 * Compiles a URI template: `*` or `{name}` stands for at least one char of a segment, `**` or `{name=**}` for any
 * number of chars, slashes too; behind it only text may follow. Both may have text beside them, as in `/*.m4s` and
 * `/**.mpd`. Walks the path once for each template, and never back over what a wildcard took.
 */
export function compilePathTemplate(template: string, path: string, faults: MatcherFault[]): TextTest {
  const problem = (message: string): TextTest => {
    faults.push({ path, message: `"${template}" is not a path template: ${message}` });
    return () => false;
  };
  if (!template.startsWith("/")) return problem("it must begin with /");
  const plain = template.replace(VARIABLE, (_, pattern: string | undefined) => pattern ?? "*");
  if (/[{}]/.test(plain)) return problem("a variable is written {name} or {name=pattern}");
  if (plain.includes("***")) return problem("* and ** may not touch");
  const at = plain.indexOf("**");
  const end = at < 0 ? "" : plain.slice(at + 2);
  if (end.includes("**")) return problem("** may stand once");
  if (end.includes("*")) return problem("* may not follow **");
  const segments = (at < 0 ? plain : plain.slice(0, at))
    .slice(1)
    .split("/")
    .map((segment): Segment => segment.split("*"));
  const before = at < 0 ? undefined : segments.pop();
  const rest = before === undefined ? null : { before, end };
  return (text) => text.startsWith("/") && matches(segments, rest, text.slice(1));
}

function matches(segments: readonly Segment[], rest: Rest | null, text: string): boolean {
  let from = 0;
  for (const [i, segment] of segments.entries()) {
    const slash = text.indexOf("/", from);
    const last = rest === null && i === segments.length - 1;
    if (last !== slash < 0) return false;
    const end = last ? text.length : slash;
    if (!matchesSegment(segment, text.slice(from, end))) return false;
    from = end + 1;
  }
  return rest === null || matchesRest(rest, text.slice(from));
}

function matchesSegment(texts: Segment, segment: string): boolean {
  if (texts.length === 1) return texts[0] === segment;
  const end = texts[texts.length - 1] ?? "";
  const from = afterTexts(texts.slice(0, -1), segment);
  // The last wildcard needs a char of its own.
  return from >= 0 && from < segment.length - end.length && segment.endsWith(end) && SEGMENT_CHARS.test(segment);
}

function matchesRest({ before, end }: Rest, text: string): boolean {
  const from = afterTexts(before, text);
  if (from < 0 || text.length - end.length < from || !text.endsWith(end)) return false;
  return !text.slice(0, from).includes("/") && PATH_CHARS.test(text.slice(from, text.length - end.length));
}

/** Where the texts end in order, each as early as it can with a char for the `*` before it; -1: they do not occur. */
function afterTexts(texts: Segment, within: string): number {
  let from = 0;
  for (const [i, text] of texts.entries()) {
    const found = i === 0 ? (within.startsWith(text) ? 0 : -1) : within.indexOf(text, from + 1);
    // An empty text after a `*` stands at the end at the latest.
    if (found < 0 || (i > 0 && found <= from)) return -1;
    from = found + text.length;
  }
  return from;
}
