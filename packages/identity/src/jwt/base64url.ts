const ALPHABET = /^[A-Za-z0-9_-]*$/;

/** The bytes of an unpadded base64url text; null for any other text. `Buffer.from` alone skips what it does not know. */
export function decodeBase64url(text: string): Buffer | null {
  if (text.length % 4 === 1 || !ALPHABET.test(text)) return null;
  const bytes = Buffer.from(text, "base64url");
  // Bits after the last byte must be zero, or one token could be written in many ways.
  return bytes.toString("base64url") === text ? bytes : null;
}
