/**
 * Why a token is not accepted, in the words that Envoy puts into its answer: clients and dashboards know them.
 * The last ones are about limits of our own.
 */
export const JWT_STATUS_TEXT = {
  missing: "Jwt is missing",
  "not-yet-valid": "Jwt not yet valid",
  expired: "Jwt is expired",
  "bad-format": "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
  "header-base64": "Jwt header is an invalid Base64url encoded",
  "header-json": "Jwt header is an invalid JSON",
  "header-alg": "Jwt header [alg] field is required and must be a string",
  "unsupported-alg": "Jwt header [alg] is not supported",
  "header-kid": "Jwt header [kid] field is not a string",
  "header-crit": "Jwt header [crit] names extensions that are not supported",
  "payload-base64": "Jwt payload is an invalid Base64url encoded",
  "payload-json": "Jwt payload is an invalid JSON",
  "bad-iss": "Jwt payload [iss] field is not a string",
  "bad-sub": "Jwt payload [sub] field is not a string",
  "bad-iat": "Jwt payload [iat] field is not an integer",
  "bad-nbf": "Jwt payload [nbf] field is not an integer",
  "bad-exp": "Jwt payload [exp] field is not an integer",
  "iat-out-of-range": "Jwt payload [iat] field is not a positive 64 bit integer",
  "nbf-out-of-range": "Jwt payload [nbf] field is not a positive 64 bit integer",
  "exp-out-of-range": "Jwt payload [exp] field is not a positive 64 bit integer",
  "bad-jti": "Jwt payload [jti] field is not a string",
  "bad-aud": "Jwt payload [aud] field is not a string or string list",
  "signature-base64": "Jwt signature is an invalid Base64url encoded",
  "unknown-issuer": "Jwt issuer is not configured",
  "audience-not-allowed": "Audiences in Jwt are not allowed",
  "verification-failed": "Jwt verification fails",
  "no-matching-key": "Jwks doesn't have key to match kid or alg from Jwt",
  "no-valid-keys": "Jwks doesn't have any valid public key",
  "keys-not-fetched": "Jwks remote fetch is failed",
  "no-expiration": "Jwt has no expiration where one is required",
  "lives-too-long": "Jwt lives longer than it may",
  "too-large": "Jwt is too large",
  "too-many": "Too many Jwt in the request",
} as const;

export type JwtStatus = keyof typeof JWT_STATUS_TEXT;
