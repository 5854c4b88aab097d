const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING: i32 = 61;

/**
 * Decodes standard base64; padding may be missing but not wrong. Null: a character outside the alphabet (also white
 * space), padding in the wrong place, an impossible length, or bits that are left over and not zero.
 */
export function decodeBase64(text: string): Uint8Array | null {
  const length: i32 = unpaddedLength(text);
  const rest: i32 = length & 3;
  if (length < 0 || rest === 1) return null;
  const bytes = new Uint8Array(((length >> 2) * 3 + (rest > 0 ? rest - 1 : 0)) | 0);
  let bits: i32 = 0;
  let held: i32 = 0;
  let out: i32 = 0;
  for (let i: i32 = 0; i < length; i++) {
    const digit: i32 = digitOf(text.charCodeAt(i));
    if (digit < 0) return null;
    bits = ((bits << 6) | digit) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[out] = (bits >> held) & 0xff;
    out++;
  }
  return (bits & ((1 << held) - 1)) === 0 ? bytes : null;
}

/** Standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i: i32 = 0; i < bytes.length; i += 3) {
    const first: i32 = bytes[i]!;
    const second: i32 = i + 1 < bytes.length ? bytes[i + 1]! : 0;
    const third: i32 = i + 2 < bytes.length ? bytes[i + 2]! : 0;
    text += ALPHABET.charAt(first >> 2);
    text += ALPHABET.charAt(((first & 3) << 4) | (second >> 4));
    text += i + 1 < bytes.length ? ALPHABET.charAt(((second & 15) << 2) | (third >> 6)) : "=";
    text += i + 2 < bytes.length ? ALPHABET.charAt(third & 63) : "=";
  }
  return text;
}

/** The length without padding; −1 if padding is present and wrong. */
function unpaddedLength(text: string): i32 {
  let end: i32 = text.length;
  if (end === 0 || text.charCodeAt(end - 1) !== PADDING) return end;
  if ((end & 3) !== 0) return -1;
  end--;
  if (text.charCodeAt(end - 1) === PADDING) end--;
  return end;
}

function digitOf(code: i32): i32 {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 43) return 62;
  return code === 47 ? 63 : -1;
}
