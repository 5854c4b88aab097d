import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { Clock } from "@mixerless/clock";
import type { HttpPost } from "./http-post.ts";
import { SCOPES, tokenOf, trustedUrl } from "./token-answer.ts";
import type { TokenAnswer } from "./token-source.ts";

const DEFAULT_TOKEN_URI = "https://oauth2.googleapis.com/token";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** Seconds that an assertion holds, Google's most. */
const LIFETIME = 3600;

/** A token for the key of a service account, by RFC 7523: a signed assertion is exchanged. */
export async function serviceAccountToken(
  file: Readonly<Record<string, unknown>>,
  clock: Clock,
  post: HttpPost,
): Promise<TokenAnswer> {
  const { client_email: email, private_key: pem, private_key_id: keyId, token_uri: uri = DEFAULT_TOKEN_URI } = file;
  if (typeof email !== "string" || email === "") return { fault: "client_email is missing" };
  const url = trustedUrl(uri, "token_uri");
  if ("fault" in url) return url;
  const key = typeof pem === "string" ? privateKey(pem) : null;
  if (key === null) return { fault: "private_key is not an RSA key in PEM" };
  const issued = Math.floor(clock.now() / 1000);
  const header = { alg: "RS256", typ: "JWT", ...(typeof keyId === "string" ? { kid: keyId } : {}) };
  const claims = { iss: email, scope: SCOPES.join(" "), aud: url.href, iat: issued, exp: issued + LIFETIME };
  const content = `${base64url(header)}.${base64url(claims)}`;
  const assertion = `${content}.${sign("sha256", Buffer.from(content), key).toString("base64url")}`;
  const body = new URLSearchParams({ grant_type: GRANT, assertion }).toString();
  return tokenOf(await post(url.href, body, { "content-type": "application/x-www-form-urlencoded" }), url.host);
}

function privateKey(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "rsa" ? key : null;
  } catch {
    return null;
  }
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
