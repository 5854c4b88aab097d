const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING: i32 = 61;
/** The value of each ASCII character; −1 for those outside the alphabet. */
const DIGITS: i32[] = digits();

/**
 * Decodes standard base64; padding may be missing but not wrong. Null: a character outside the alphabet (also white
 * space), padding in the wrong place, an impossible length, or bits that are left over and not zero.
 */
export function decodeBase64(text: string): Uint8Array | null {
  const length: i32 = unpaddedLength(text);
  const rest: i32 = length & 3;
  if (length < 0 || rest === 1) return null;
  const bytes = new Uint8Array(((length >> 2) * 3 + (rest > 0 ? rest - 1 : 0)) | 0);
  const whole: i32 = length - rest;
  let out: i32 = 0;
  for (let i: i32 = 0; i < whole; i += 4) {
    const high: i32 = (digitOf(text.charCodeAt(i)) << 6) | digitOf(text.charCodeAt(i + 1));
    const low: i32 = (digitOf(text.charCodeAt(i + 2)) << 6) | digitOf(text.charCodeAt(i + 3));
    // A character outside the alphabet is −1 and makes its half negative.
    if ((high | low) < 0) return null;
    bytes[out] = high >> 4;
    bytes[out + 1] = ((high & 15) << 4) | (low >> 8);
    bytes[out + 2] = low & 0xff;
    out += 3;
  }
  return rest === 0 || decodeRest(text, whole, rest, bytes, out) ? bytes : null;
}

/** The last two or three characters. */
function decodeRest(text: string, at: i32, rest: i32, bytes: Uint8Array, out: i32): boolean {
  const third: i32 = rest === 3 ? digitOf(text.charCodeAt(at + 2)) : 0;
  const bits: i32 = (digitOf(text.charCodeAt(at)) << 12) | (digitOf(text.charCodeAt(at + 1)) << 6) | third;
  if (bits < 0) return false;
  bytes[out] = bits >> 10;
  if (rest === 2) return (bits & 0x3ff) === 0;
  bytes[out + 1] = (bits >> 2) & 0xff;
  return (bits & 3) === 0;
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
  return code < 128 ? DIGITS[code]! : -1;
}

function digits(): i32[] {
  const table: i32[] = [];
  for (let i: i32 = 0; i < 128; i++) table.push(ALPHABET.indexOf(String.fromCharCode(i)));
  return table;
}
