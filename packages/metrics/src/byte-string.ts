import { LABEL_VALUE_LIMIT } from "./limits.ts";

// Control characters but the line feed, which the exposition format can escape.
const CONTROL = /[^\n\P{Cc}]/gu;
const REPLACEMENT = "\ufffd";

/** A label value fit for every view, and whether it had to be shortened. */
export interface CleanValue {
  /** Valid UTF-8, one char per byte. */
  readonly bytes: string;
  readonly cut: boolean;
}

/**
 * Makes a label value fit to be shown. A string without a char above U+00FF is a byte string, any
 * other is text. Bytes that are not valid UTF-8, lone surrogates and control characters become U+FFFD.
 * More than `limit` bytes of UTF-8 are cut at the edge of a character.
 */
export function cleanLabelValue(value: string, limit = LABEL_VALUE_LIMIT): CleanValue {
  // No char yields less than one byte, so that what lies beyond the limit can't matter. Four more,
  // because a sequence may be split here.
  const text = decode(value.slice(0, limit + 4)).replace(CONTROL, REPLACEMENT);
  const bytes = textToByteString(text);
  if (bytes.length <= limit) return { bytes, cut: false };
  let end = limit;
  while (end > 0 && (bytes.charCodeAt(end) & 0xc0) === 0x80) end--;
  return { bytes: bytes.slice(0, end), cut: true };
}

/** A label value, which may be a byte string, as the text that every view shows for it. */
export function labelText(value: string, limit = LABEL_VALUE_LIMIT): string {
  return decode(cleanLabelValue(value, limit).bytes);
}

/** The UTF-8 bytes of a text, one char per byte. Lone surrogates become U+FFFD. */
export function textToByteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The text of a byte string; bytes that are not valid UTF-8 become U+FFFD. */
export function byteStringToText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function decode(value: string): string {
  let high = false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0xff) return value;
    if (code > 0x7f) high = true;
  }
  return high ? byteStringToText(value) : value;
}
