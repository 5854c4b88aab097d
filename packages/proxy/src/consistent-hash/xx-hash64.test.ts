import { expect, it } from "vitest";
import { xxHash64 } from "./xx-hash64.ts";

/** Made with the reference implementation (Python's xxhash 3). */
const KNOWN: readonly [string, bigint, bigint][] = [
  ["", 0n, 0xef46db3751d8e999n],
  ["a", 0n, 0xd24ec4f1a98c6e5bn],
  ["abc", 0n, 0x44bc2cf5ad770999n],
  ["The quick brown fox jumps over the lazy dog", 0n, 0x0b242d361fda71bcn],
  ["127.0.10.4:9080_17", 0n, 0x5bc0a9d325b852b1n],
  ["0123456789012345678901234567890123456789", 1n, 0xfdf9f1885f3fb7f9n],
  ["user-1\xff", 0xfedcba9876543210n, 0x462ef956ec542da7n],
];

it.each(KNOWN)("hashes %j with seed %d as the reference does", (text, seed, hash) => {
  expect(xxHash64(text, seed)).toBe(hash);
});
