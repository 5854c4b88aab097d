/** Digits of 2^53 - 1. */
const MOST_DIGITS = 16;

/** The bytes as one plain decimal of at most 2^53 - 1; else -1. */
export function readDecimal(bytes: Buffer, start: number, end: number): number {
  if (end <= start || end - start > MOST_DIGITS) return -1;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number <= Number.MAX_SAFE_INTEGER ? number : -1;
}

/** As {@link readDecimal}. */
export function parseDecimal(text: string | null): number {
  if (text === null || !/^[0-9]{1,16}$/.test(text)) return -1;
  const number = Number(text);
  return number <= Number.MAX_SAFE_INTEGER ? number : -1;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NEVER_IN_VALUE = /[\x00-\x08\x0a-\x1f\x7f\u0100-\uffff]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NEVER_IN_PSEUDO = /[\x00-\x20\x7f-\uffff]/;

/**
 * A value that may stand in a field line: each control other than HT, and each char above U+00FF,
 * becomes a space (RFC 9110 §5.5). The latter matter too: written as one byte, U+010A would be an LF.
 */
export function safeFieldValue(value: string): string {
  return NEVER_IN_VALUE.test(value) ? value.replace(new RegExp(NEVER_IN_VALUE, "g"), " ") : value;
}

/** A value that may stand in a start line: what must not is percent-encoded, chars above U+00FF as `?`. */
export function safePseudoValue(value: string): string {
  if (!NEVER_IN_PSEUDO.test(value)) return value;
  return value.replace(new RegExp(NEVER_IN_PSEUDO, "g"), (char) => percentEncode(char.charCodeAt(0)));
}

function percentEncode(code: number): string {
  const byte = code > 0xff ? 0x3f : code;
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** A value that was found, or made, safe for a field line once, for headers that are set to the same value again and again. */
export class CheckedFieldValue {
  readonly text: string;

  constructor(text: string) {
    this.text = safeFieldValue(text);
  }
}
