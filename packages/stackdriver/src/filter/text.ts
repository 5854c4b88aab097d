const NOT_ASCII = /[^ -~]/;

/** Text of a byte string. Bytes that are no UTF-8 show as U+FFFD: what is exported must be text. */
export function fromByteString(bytes: string): string {
  return NOT_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/** `text`, or `unknown` if it is empty. */
export function known(text: string): string {
  return text === "" ? "unknown" : text;
}
