/** The ASCII chars that an atom stands for, and whether it stands for all others, too. */
interface Atom {
  readonly chars: ReadonlySet<string>;
  readonly others: boolean;
  /** `?`, `*`, `+` or nothing. */
  readonly repeat: string;
}

const ALL = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
const DIGITS = "0123456789";
const ESCAPED = /\\(?:([.\\/^$|?*+()[\]{}])|(d))/y;
const CLASS = /\[(\^?)((?:[A-Za-z0-9_ ./:@%=&~]-[A-Za-z0-9_ ./:@%=&~]|[A-Za-z0-9_ ./:@%=&~])+)(-?)\]/y;
const LITERAL = /[^\\^$.|?*+()[\]{}\ud800-\udfff]/y;
/** The one group that there may be: texts to choose from, without anything special. */
const CHOICE = /\(((?:[A-Za-z0-9_/:@%=&~ -]+\|)*[A-Za-z0-9_/:@%=&~ -]+)\)/y;

/**
 * The pattern for JavaScript's engine, or null unless that needs linear time for it and reads it as RE2 does. This holds
 * for sequences of single chars where what is repeated cannot be confused with what follows, so that going back never
 * leads anywhere; and with repetitions only at a fixed place, not at every place of the text anew.
 */
export function linearPattern(pattern: string): string | null {
  const anchored = pattern.startsWith("^");
  const end = pattern.endsWith("$") && !pattern.endsWith("\\$") ? pattern.length - 1 : pattern.length;
  const atoms = readAtoms(pattern, anchored ? 1 : 0, end);
  if (atoms === null) return null;
  const unbounded = atoms.some(({ repeat }) => repeat !== "");
  if (unbounded && !anchored) return null;
  if (!atoms.every((atom, i) => atom.repeat === "" || isDistinct(atom, atoms.slice(i + 1)))) return null;
  // Outside of classes a dot is everything but a line feed to RE2, and a little less to JavaScript.
  return pattern.replace(/\\.|\[[^\]]*\]|\./g, (part) => (part === "." ? "[^\\n]" : part));
}

function readAtoms(pattern: string, from: number, end: number): Atom[] | null {
  const atoms: Atom[] = [];
  let choices = 0;
  let at = from;
  while (at < end) {
    const read = readAtom(pattern, at) ?? (choices++ === 0 ? readChoice(pattern, at) : null);
    if (read === null || read.end > end) return null;
    at = read.end;
    const next = pattern[at] ?? "";
    const repeat = at < end && "?*+".includes(next) ? next : "";
    if (repeat !== "") {
      if (read.choice || "?*+".includes(pattern[at + 1] ?? " ")) return null;
      at++;
    }
    atoms.push({ chars: read.chars, others: read.others, repeat });
  }
  return atoms;
}

interface Read {
  readonly chars: ReadonlySet<string>;
  readonly others: boolean;
  readonly end: number;
  readonly choice: boolean;
}

function readAtom(pattern: string, at: number): Read | null {
  const done = (chars: Iterable<string>, others: boolean, end: number): Read => ({
    chars: new Set(chars),
    others,
    end,
    choice: false,
  });
  if (pattern[at] === ".") {
    return done(
      ALL.filter((char) => char !== "\n"),
      true,
      at + 1,
    );
  }
  ESCAPED.lastIndex = at;
  const escaped = ESCAPED.exec(pattern);
  if (escaped !== null) return done(escaped[1] ?? DIGITS, false, ESCAPED.lastIndex);
  CLASS.lastIndex = at;
  const found = CLASS.exec(pattern);
  if (found !== null) {
    const chars = classChars(found[2] ?? "", found[3] ?? "");
    if (chars === null) return null;
    const negated = found[1] === "^";
    return done(negated ? ALL.filter((char) => !chars.has(char)) : chars, negated, CLASS.lastIndex);
  }
  LITERAL.lastIndex = at;
  const literal = LITERAL.exec(pattern)?.[0];
  return literal === undefined ? null : done(literal, literal > "\x7f", at + 1);
}

function readChoice(pattern: string, at: number): Read | null {
  CHOICE.lastIndex = at;
  const found = CHOICE.exec(pattern);
  if (found === null) return null;
  const firsts = (found[1] ?? "").split("|").map((text) => text[0] ?? "");
  return { chars: new Set(firsts), others: false, end: CHOICE.lastIndex, choice: true };
}

function classChars(body: string, dash: string): Set<string> | null {
  const chars = new Set<string>(dash);
  for (let i = 0; i < body.length; i++) {
    const first = body[i] ?? "";
    if (body[i + 1] !== "-") {
      chars.add(first);
      continue;
    }
    const last = body[i + 2] ?? "";
    if (last < first) return null;
    for (const char of ALL) if (char >= first && char <= last) chars.add(char);
    i += 2;
  }
  return chars;
}

/** Whether what may follow begins with another char. */
function isDistinct(atom: Atom, following: readonly Atom[]): boolean {
  for (const next of following) {
    if (atom.others && next.others) return false;
    for (const char of next.chars) if (atom.chars.has(char)) return false;
    if (next.repeat === "" || next.repeat === "+") return true;
  }
  return true;
}
