/** Below this, a loop is faster than a call into the engine. */
const SHORT = 48;
/** The same for text. */
const SHORT_TEXT = 24;

/** `source[from, to)` to `target[at…]`. The caller guarantees room. */
export function copyBytes(source: Buffer, from: number, to: number, target: Buffer, at: number): void {
  if (to - from > SHORT) {
    source.copy(target, at, from, to);
    return;
  }
  let out = at;
  for (let i = from; i < to; i++) target[out++] = source[i] as number;
}

/** `text`, one byte for each char, to `target[at…]`. The caller guarantees room. */
export function writeLatin1(text: string, target: Buffer, at: number): void {
  if (text.length > SHORT_TEXT) {
    target.write(text, at, "latin1");
    return;
  }
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
}
