/** Below this, a loop is faster than a call into the engine. */
const SHORT = 48;

/** `source[from, to)` to `target[at…]`. The caller guarantees room. */
export function copyBytes(source: Buffer, from: number, to: number, target: Buffer, at: number): void {
  if (to - from > SHORT) {
    source.copy(target, at, from, to);
    return;
  }
  let out = at;
  for (let i = from; i < to; i++) target[out++] = source[i] as number;
}
