import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { decodeBase64url } from "./base64url.ts";
import type { JsonWebToken } from "./json-web-token.ts";
import type { JwtStatus } from "./jwt-status.ts";

/** Of a key set; the key sets of large issuers have a few dozen. */
const MOST_KEYS = 200;
/** Of the text of a key set, in characters. */
export const MOST_KEY_SET_CHARS = 1024 * 1024;

interface VerificationKey {
  readonly keyId: string | null;
  /** Null: the key does not say. */
  readonly algorithm: string | null;
  readonly type: string;
  readonly curve: string | null;
  readonly key: KeyObject;
}

/** The public keys of an issuer (RFC 7517). */
export class KeySet {
  readonly #keys: readonly VerificationKey[];

  private constructor(keys: readonly VerificationKey[]) {
    this.#keys = keys;
  }

  /** A text says why it is no key set. Keys of kinds that are not known are left out, as RFC 7517 §5 wants. */
  static read(text: string): KeySet | string {
    if (text.length > MOST_KEY_SET_CHARS) return `it is longer than ${MOST_KEY_SET_CHARS} characters`;
    const listed = listedKeys(text);
    if (typeof listed === "string") return listed;
    if (listed.length > MOST_KEYS) return `it holds more than ${MOST_KEYS} keys`;
    const keys = listed.flatMap((one) => readKey(one) ?? []);
    return keys.length === 0 ? "it holds no usable public key" : new KeySet(keys);
  }

  /**
   * Whether one of the keys signed the token: a key of the token's `kid`, if both have one, whose `alg`, if it has
   * one, is the token's, and whose type is the one that the algorithm needs. So nobody can pass a public RSA key off
   * as the secret of an HMAC. Null: yes.
   */
  verify(token: JsonWebToken): JwtStatus | null {
    const { algorithm } = token;
    const signed = token.text.slice(0, token.text.lastIndexOf("."));
    let tried = false;
    for (const { keyId, algorithm: own, type, curve, key } of this.#keys) {
      if (keyId !== null && token.keyId !== null && keyId !== token.keyId) continue;
      if (own !== null && own !== algorithm.name) continue;
      tried = true;
      if (type !== algorithm.keyType || (algorithm.curve !== null && curve !== algorithm.curve)) continue;
      if (verifies(() => algorithm.verify(key, signed, token.signature))) return null;
    }
    return tried ? "verification-failed" : "no-matching-key";
  }
}

/** OpenSSL throws for some malformed signatures where it says no to others. */
function verifies(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

function listedKeys(text: string): readonly unknown[] | string {
  try {
    const parsed: unknown = JSON.parse(text);
    const keys = typeof parsed === "object" && parsed !== null && "keys" in parsed ? parsed.keys : undefined;
    return Array.isArray(keys) ? keys : 'it has no list "keys"';
  } catch {
    return "it is no JSON";
  }
}

function readKey(json: unknown): VerificationKey | null {
  if (typeof json !== "object" || json === null) return null;
  const jwk = json as Record<string, unknown>;
  const { kid, alg, kty, crv, use } = jwk;
  if (typeof kty !== "string" || (use !== undefined && use !== "sig")) return null;
  const key = keyObject(jwk, kty);
  if (key === null) return null;
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : null);
  return { keyId: text(kid), algorithm: text(alg), type: kty, curve: text(crv), key };
}

/** From the public members only, so that a private key that somebody published is not kept. */
function keyObject(jwk: Record<string, unknown>, kty: string): KeyObject | null {
  try {
    if (kty === "oct") {
      const secret = typeof jwk.k === "string" ? decodeBase64url(jwk.k) : null;
      return secret === null || secret.length === 0 ? null : createSecretKey(secret);
    }
    const { n, e, crv, x, y } = jwk;
    const members = { RSA: { n, e }, EC: { crv, x, y }, OKP: { crv, x } }[kty];
    if (members === undefined) return null;
    const key = createPublicKey({ key: { kty, ...members } as JsonWebKey, format: "jwk" });
    // A modulus that can be factored proves nothing.
    return (key.asymmetricKeyDetails?.modulusLength ?? 2048) < 1024 ? null : key;
  } catch {
    return null;
  }
}
