export { type JsonWebToken, type JwtClaims, MOST_TOKEN_CHARS, readJwt } from "./json-web-token.ts";
export { JWT_STATUS_TEXT, type JwtStatus } from "./jwt-status.ts";
export { KeySet, MOST_KEY_SET_CHARS } from "./key-set.ts";
