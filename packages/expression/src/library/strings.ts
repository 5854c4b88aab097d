import { Failure } from "../values/abnormal.ts";
import type { Int } from "../values/integer.ts";
import type { Value } from "../values/value.ts";
import type { Work } from "../values/work.ts";
import { format } from "./format.ts";
import { fn, type Library, method } from "./overload.ts";

const outOfRange = (index: Int) => new Failure(`index out of range: ${index}`);

/** Positions count code points. Texts of the basic plane, which nearly all are, need no list of them. */
function points(text: string, work: Work): string | string[] {
  work.spend(text.length >> 4);
  return /[\ud800-\udfff]/.test(text) ? [...text] : text;
}

function charAt(text: string, index: Int, work: Work): string | Failure {
  const chars = points(text, work);
  return index < 0 || index > chars.length ? outOfRange(index) : (chars[Number(index)] ?? "");
}

function startsAt(chars: string | string[], part: string | string[], at: number): boolean {
  for (let i = 0; i < part.length; i++) if (chars[at + i] !== part[i]) return false;
  return true;
}

function indexOf(text: string, sought: string, from: Int, work: Work): number | Failure {
  const chars = points(text, work);
  if (from < 0 || from > chars.length) return outOfRange(from);
  if (typeof chars === "string") return chars.indexOf(sought, Number(from));
  const part = [...sought];
  work.spend((chars.length * part.length) >> 4);
  for (let at = Number(from); at + part.length <= chars.length; at++) if (startsAt(chars, part, at)) return at;
  return -1;
}

function lastIndexOf(text: string, sought: string, from: Int | null, work: Work): number | Failure {
  const chars = points(text, work);
  if (from !== null && (from < 0 || from > chars.length)) return outOfRange(from);
  if (typeof chars === "string") return chars.lastIndexOf(sought, from === null ? chars.length : Number(from));
  const part = [...sought];
  work.spend((chars.length * part.length) >> 4);
  const last = chars.length - part.length;
  for (let at = Math.min(last, from === null ? last : Number(from)); at >= 0; at--)
    if (startsAt(chars, part, at)) return at;
  return -1;
}

function substring(text: string, start: Int, end: Int | null, work: Work): string | Failure {
  const chars = points(text, work);
  const until = end ?? chars.length;
  if (start < 0 || start > chars.length) return outOfRange(start);
  if (until < 0 || until > chars.length) return outOfRange(until);
  if (start > until) return new Failure(`invalid substring range: from ${start} to ${until}`);
  const part = chars.slice(Number(start), Number(until));
  return typeof part === "string" ? part : part.join("");
}

/** As often as `limit` says; a negative one means always. */
function replace(text: string, old: string, by: string, limit: Int, work: Work): string {
  if (limit === 0) return text;
  const parts = split(text, old, limit < 0 ? -1 : Number(limit) + 1, work);
  work.spend((text.length + (parts.length - 1) * by.length) >> 4);
  return parts.join(by);
}

/** Into `limit` parts at most, the last being the rest; a negative one means all. */
function split(text: string, separator: string, limit: Int, work: Work): string[] {
  if (limit === 0) return [];
  const all = separator === "" ? [...text] : text.split(separator);
  work.spend((text.length >> 4) + all.length);
  const most = Number(limit);
  if (most < 0 || all.length <= most) return all;
  return [...all.slice(0, most - 1), all.slice(most - 1).join(separator)];
}

function join(list: readonly Value[], separator: string, work: Work): string | Failure {
  let size = 0;
  for (const part of list) {
    if (typeof part !== "string") return new Failure("join() needs a list of strings");
    size += part.length + separator.length;
  }
  work.spend(list.length + (size >> 4));
  return list.join(separator);
}

/** White space of Unicode; JavaScript's `trim` would also take U+FEFF and leave U+0085. */
const SPACE = String.raw`[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`;
const LEADING = new RegExp(`^${SPACE}+`);
const IS_SPACE = new RegExp(SPACE);

function trim(text: string): string {
  let end = text.length;
  while (end > 0 && IS_SPACE.test(text[end - 1] ?? "")) end--;
  return text.slice(0, end).replace(LEADING, "");
}

const QUOTED: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that have escapes.
  return `"${text.replace(/[\x07-\r\\"]/g, (char) => QUOTED[char] ?? char)}"`;
}

function reverse(text: string, work: Work): string {
  work.spend(text.length >> 4);
  return [...text].reverse().join("");
}

/** The extension for texts. Envoy does not promise it. */
export function stringsLibrary(): Library {
  return [
    method("charAt(string, int) -> string", charAt),
    method("indexOf(string, string) -> int", (text: string, part: string, work: Work) => indexOf(text, part, 0, work)),
    method("indexOf(string, string, int) -> int", indexOf),
    method("lastIndexOf(string, string) -> int", (text: string, part: string, work: Work) =>
      lastIndexOf(text, part, null, work),
    ),
    method("lastIndexOf(string, string, int) -> int", lastIndexOf),
    method("lowerAscii(string) -> string", (text: string, work: Work) => {
      work.spend(text.length >> 6);
      return text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
    }),
    method("upperAscii(string) -> string", (text: string, work: Work) => {
      work.spend(text.length >> 6);
      return text.replace(/[a-z]+/g, (part) => part.toUpperCase());
    }),
    method("replace(string, string, string) -> string", (text: string, old: string, by: string, work: Work) =>
      replace(text, old, by, -1, work),
    ),
    method("replace(string, string, string, int) -> string", replace),
    method("split(string, string) -> list(string)", (text: string, by: string, work: Work) =>
      split(text, by, -1, work),
    ),
    method("split(string, string, int) -> list(string)", split),
    method("substring(string, int) -> string", (text: string, start: Int, work: Work) =>
      substring(text, start, null, work),
    ),
    method("substring(string, int, int) -> string", substring),
    method("join(list(string)) -> string", (list: readonly Value[], work: Work) => join(list, "", work)),
    method("join(list(string), string) -> string", join),
    method("trim(string) -> string", trim),
    method("reverse(string) -> string", reverse),
    method("format(string, list(dyn)) -> string", format),
    fn("strings.quote(string) -> string", quote),
  ];
}
