import type { Random } from "./load-balancer.ts";

/** The hash of a request that brings none: anywhere in 64 bits. */
export function randomHash(random: Random): bigint {
  return BigInt(Math.floor(random() * 0x1_0000_0000)) << 32n;
}
