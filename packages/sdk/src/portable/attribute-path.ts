/**
 * The path that a CEL expression stands for when it only reads one attribute: names joined by `.`, `['text']`,
 * `["text"]` or `[3]`, e.g. `xds.node.metadata['NAME']`. Null for anything else, also for texts with escapes.
 */
export function parseAttributePath(text: string): string[] | null {
  const source = text.trim();
  const path: string[] = [];
  let at: i32 = nameEnd(source, 0);
  if (at === 0) return null;
  const first = source.substring(0, at);
  if (first === "true" || first === "false" || first === "null") return null;
  path.push(first);
  while (at < source.length) {
    const sign = source.charAt(at);
    const from: i32 = at + 1;
    const end: i32 = sign === "." ? nameEnd(source, from) : sign === "[" ? indexEnd(source, from) : from;
    if (end === from) return null;
    path.push(sign === "." ? source.substring(from, end) : unquoted(source.substring(from, end)));
    at = sign === "." ? end : end + 1;
  }
  return path;
}

/** The content of a CEL string literal without escapes, `'text'` or `"text"`; null for anything else. */
export function parseTextLiteral(text: string): string | null {
  const source = text.trim();
  if (source.length < 2 || quotedEnd(source, 0) !== source.length) return null;
  return source.substring(1, source.length - 1);
}

function nameEnd(source: string, from: i32): i32 {
  let at: i32 = from;
  while (at < source.length && isNameSign(source.charCodeAt(at), at === from)) at++;
  return at;
}

function isNameSign(code: i32, first: boolean): boolean {
  if ((code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95) return true;
  return !first && code >= 48 && code <= 57;
}

/** The place of the closing bracket after a quoted text or a number; `from` if there is none. */
function indexEnd(source: string, from: i32): i32 {
  let end: i32 = quotedEnd(source, from);
  while (end - from < 9 && end < source.length && isDigit(source, end) && !isQuote(source, from)) end++;
  return end < source.length && source.charAt(end) === "]" ? end : from;
}

/** The place after the closing quote; `from` if no quoted text begins there. */
function quotedEnd(source: string, from: i32): i32 {
  if (!isQuote(source, from)) return from;
  const quote = source.charAt(from);
  for (let at: i32 = from + 1; at < source.length; at++) {
    const sign = source.charAt(at);
    if (sign === "\\" || sign === "\n") return from;
    if (sign === quote) return at + 1;
  }
  return from;
}

function isQuote(source: string, at: i32): boolean {
  return at < source.length && (source.charAt(at) === "'" || source.charAt(at) === '"');
}

function isDigit(source: string, at: i32): boolean {
  const code: i32 = source.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function unquoted(text: string): string {
  return isQuote(text, 0) ? text.substring(1, text.length - 1) : text;
}
