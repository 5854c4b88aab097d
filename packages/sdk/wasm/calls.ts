// Answers come to the root; this leads them to the streams that asked.
const asked: Map<u32, u32> = new Map<u32, u32>();

/** The answer to `token` belongs to the stream `id`. */
export function awaitAnswer(token: u32, id: u32): void {
  asked.set(token, id);
}

/** The stream that `token` belongs to, once; 0: none. */
export function takeAsker(token: u32): u32 {
  if (!asked.has(token)) return 0;
  const id = asked.get(token);
  asked.delete(token);
  return id;
}
