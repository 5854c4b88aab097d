import { decodeBase64url } from "./base64url.ts";
import type { JwtStatus } from "./jwt-status.ts";
import { type SignatureAlgorithm, signatureAlgorithm } from "./signature-algorithm.ts";

export type JwtClaims = Readonly<Record<string, unknown>>;

/** A token taken apart; nothing about it is proven. */
export interface JsonWebToken {
  readonly text: string;
  readonly algorithm: SignatureAlgorithm;
  /** Null: the token names no key. */
  readonly keyId: string | null;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: JwtClaims;
  /** As it stands in the token, base64url. */
  readonly payload: string;
  /** "" where the token names none. */
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  /** Seconds; null for none. */
  readonly issuedAt: number | null;
  readonly notBefore: number | null;
  readonly expires: number | null;
  readonly signature: Buffer;
}

/** Longer ones are not even read. Group claims of large directories fit; whole heads of requests do not. */
export const MOST_TOKEN_CHARS = 32 * 1024;

/** Reads a compact JWS as Envoy does; what is wrong with it is the result. Never throws. */
export function readJwt(text: string): JsonWebToken | JwtStatus {
  if (text.length > MOST_TOKEN_CHARS) return "too-large";
  const [head = "", payload = "", signature = "", ...more] = text.split(".", 4);
  if (more.length > 0 || head === "" || payload === "" || signature === "") return "bad-format";
  const header = decodeBase64url(head);
  if (header === null) return "header-base64";
  const fields = readObject(header);
  if (fields === null) return "header-json";
  const { alg, kid, crit } = fields;
  if (typeof alg !== "string") return "header-alg";
  const algorithm = signatureAlgorithm(alg);
  if (algorithm === undefined) return "unsupported-alg";
  if (kid !== undefined && typeof kid !== "string") return "header-kid";
  // RFC 7515 §4.1.11: who does not understand an extension that is critical must refuse the token.
  if (crit !== undefined) return "header-crit";
  const body = decodeBase64url(payload);
  if (body === null) return "payload-base64";
  const claims = readObject(body);
  if (claims === null) return "payload-json";
  const bad = wrongClaim(claims);
  if (bad !== null) return bad;
  const signed = decodeBase64url(signature);
  if (signed === null) return "signature-base64";
  return { text, algorithm, keyId: kid ?? null, header: fields, payload, signature: signed, ...known(claims) };
}

function readObject(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function wrongClaim({ iss, sub, aud, iat, nbf, exp, jti }: JwtClaims): JwtStatus | null {
  if (iss !== undefined && typeof iss !== "string") return "bad-iss";
  if (sub !== undefined && typeof sub !== "string") return "bad-sub";
  for (const [name, value] of Object.entries({ iat, nbf, exp }) as ["iat" | "nbf" | "exp", unknown][]) {
    if (value === undefined) continue;
    if (typeof value !== "number") return `bad-${name}`;
    if (!isTime(value)) return `${name}-out-of-range`;
  }
  if (jti !== undefined && typeof jti !== "string") return "bad-jti";
  const texts = aud === undefined || typeof aud === "string" || (Array.isArray(aud) && aud.every(isText));
  return texts ? null : "bad-aud";
}

/** Whole seconds; some issuers write fractions, which Envoy cuts off. */
function isTime(value: number): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function known(claims: JwtClaims) {
  const { iss, sub, aud, iat, nbf, exp } = claims;
  const seconds = (value: unknown) => (value === undefined ? null : Math.floor(value as number));
  return {
    claims,
    issuer: (iss as string | undefined) ?? "",
    subject: (sub as string | undefined) ?? "",
    audiences: aud === undefined ? [] : ([aud].flat() as string[]),
    issuedAt: seconds(iat),
    notBefore: seconds(nbf),
    expires: seconds(exp),
  };
}
