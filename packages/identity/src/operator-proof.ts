import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "@mixerless/clock";
import { IdentityError } from "./identity-error.ts";

const CONTEXT = "mixerless.operator.v1";
/** Milliseconds in which a proof must arrive. */
const LIFETIME = 60_000;

/**
 * Proves that whoever asks the control plane for `action` can read the authority's folder: the mesh's operator. Good for
 * this action and a minute. `key` is the join key.
 */
export function signOperator(key: Uint8Array, action: string, clock: Clock): string {
  const expires = String(clock.now() + LIFETIME);
  return `${expires}.${mac(key, action, expires).toString("base64url")}`;
}

/** Throws an {@link IdentityError} for a proof that is none of this action, or too old. */
export function checkOperator(key: Uint8Array, action: string, proof: string, clock: Clock): void {
  const [expires = "", signature = "", ...rest] = proof.split(".");
  const given = Buffer.from(signature, "base64url");
  const right = mac(key, action, expires);
  const good = rest.length === 0 && given.length === right.length && timingSafeEqual(given, right);
  const left = Number(expires) - clock.now();
  if (good && left > 0 && left <= LIFETIME) return;
  throw new IdentityError(
    "not-the-operator",
    "user",
    "Only who can read the authority's folder may do this, within a minute. Use mixerless ca, with --authority FOLDER.",
  );
}

function mac(key: Uint8Array, action: string, expires: string): Buffer {
  return createHmac("sha256", key)
    .update(JSON.stringify([CONTEXT, action, expires]))
    .digest();
}
