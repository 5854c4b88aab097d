/**
 * A function type in short: one letter per parameter, a colon, one letter per result. `i` i32, `I` i64, `f` f32,
 * `F` f64, `v` v128, `r` a reference.
 */
export type Signature = string;

const LETTERS: Readonly<Record<number, string>> = {
  127: "i",
  126: "I",
  125: "f",
  124: "F",
  123: "v",
  112: "r",
  111: "r",
};

const WORDS: Readonly<Record<string, string>> = { i: "i32", I: "i64", f: "f32", F: "f64", v: "v128", r: "ref" };

/** The letter of a value type's byte; null for one that this host does not know. */
export function letterOf(type: number): string | null {
  return LETTERS[type] ?? null;
}

/** For a human: `(i32, i64) -> i32`. */
export function describeSignature(signature: Signature): string {
  const [params = "", results = ""] = signature.split(":");
  return `(${words(params)}) -> ${results.length === 0 ? "()" : words(results)}`;
}

function words(letters: string): string {
  return [...letters].map((letter) => WORDS[letter] ?? letter).join(", ");
}
