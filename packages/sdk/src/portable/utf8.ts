/** Whether `text[start, end)` of a byte string is well-formed UTF-8: no overlong forms, surrogates or values above U+10FFFF. */
export function isUtf8(text: string, start: i32, end: i32): boolean {
  let at: i32 = start;
  while (at < end) {
    const first: i32 = text.charCodeAt(at);
    const size: i32 = sequenceSize(first);
    if (size === 0 || at + size > end) return false;
    if (size > 1 && !validSecond(first, text.charCodeAt(at + 1))) return false;
    for (let i: i32 = 2; i < size; i++) {
      const next: i32 = text.charCodeAt(at + i);
      if ((next & 0xc0) !== 0x80) return false;
    }
    at += size;
  }
  return true;
}

/** The UTF-8 bytes of one code point, as a byte string. Surrogates and values out of range become U+FFFD. */
export function encodeCodePoint(point: i32): string {
  if (point < 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return "\u00ef\u00bf\u00bd";
  if (point < 0x80) return String.fromCharCode(point);
  const last = String.fromCharCode(0x80 | (point & 0x3f));
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6)) + last;
  const third = String.fromCharCode(0x80 | ((point >> 6) & 0x3f));
  if (point < 0x10000) return String.fromCharCode(0xe0 | (point >> 12)) + third + last;
  const second = String.fromCharCode(0x80 | ((point >> 12) & 0x3f));
  return String.fromCharCode(0xf0 | (point >> 18)) + second + third + last;
}

function sequenceSize(first: i32): i32 {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

function validSecond(first: i32, second: i32): boolean {
  if ((second & 0xc0) !== 0x80) return false;
  if (first === 0xe0) return second >= 0xa0;
  if (first === 0xed) return second < 0xa0;
  if (first === 0xf0) return second >= 0x90;
  return first !== 0xf4 || second < 0x90;
}
