import type { KeySet } from "@mixerless/identity/jwt";

/** Longer tokens are not worth their place, as Envoy thinks. */
const MOST_CHARS = 4096;

/** Tokens whose signatures were right under a set of keys, the least recently used forgotten first. */
export class VerifiedCache {
  readonly #size: number;
  readonly #keysOf = new Map<string, KeySet>();

  constructor(size: number) {
    this.#size = size;
  }

  has(token: string, keys: KeySet): boolean {
    if (this.#keysOf.get(token) !== keys) return false;
    this.#keysOf.delete(token);
    this.#keysOf.set(token, keys);
    return true;
  }

  add(token: string, keys: KeySet): void {
    if (token.length > MOST_CHARS) return;
    this.#keysOf.set(token, keys);
    if (this.#keysOf.size <= this.#size) return;
    for (const oldest of this.#keysOf.keys()) {
      this.#keysOf.delete(oldest);
      return;
    }
  }
}
