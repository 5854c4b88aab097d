/** Numbers from 0 up to 1, evenly spread. */
export type Random = () => number;

/**
 * A generator that repeats itself for the same seed (splitmix32), so that a test knows which calls fail.
 * Without a seed it is `Math.random`.
 */
export function createRandom(seed: number | undefined): Random {
  if (seed === undefined) return Math.random;
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
