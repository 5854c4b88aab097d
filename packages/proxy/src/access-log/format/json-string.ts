/** Anything but printable ASCII, and the two characters that JSON escapes. */
const NEEDS_CARE = /[^ !#-[\]-~]/;

/**
 * A byte string as JSON text, again a byte string. Bytes that form UTF-8 stay as they are; where they do not, each
 * one is written as the escape of its number, so that the line is always valid JSON and nothing is lost.
 */
export function jsonString(text: string): string {
  if (!NEEDS_CARE.test(text)) return `"${text}"`;
  const utf8 = isUtf8(text);
  let json = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22 || code === 0x5c) json += `\\${text[i]}`;
    else if (code < 0x20 || code === 0x7f || (code > 0x7f && !utf8))
      json += `\\u00${code.toString(16).padStart(2, "0")}`;
    else json += text[i];
  }
  return `${json}"`;
}

function isUtf8(text: string): boolean {
  const bytes = Buffer.from(text, "latin1");
  return bytes.equals(Buffer.from(bytes.toString("utf8"), "utf8"));
}
