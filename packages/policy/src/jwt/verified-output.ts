import type { JsonWebToken } from "@mixerless/identity/jwt";
import type { VerifiedToken } from "./evaluation.ts";

/** Under which filter the claims of tokens stand in the dynamic metadata. */
export const JWT_METADATA = "envoy.filters.http.jwt_authn";

/** What is noted about tokens under {@link JWT_METADATA}; null: nothing. */
export function metadataOf(verified: readonly VerifiedToken<unknown>[]): Record<string, unknown> | null {
  const noted: [string, unknown][] = [];
  for (const { token, provider } of verified) {
    const { payloadInMetadata, headerInMetadata, spaceDelimited } = provider.output;
    if (payloadInMetadata !== "") noted.push([payloadInMetadata, normalized(token, spaceDelimited)]);
    if (headerInMetadata !== "") noted.push([headerInMetadata, token.header]);
  }
  return noted.length === 0 ? null : Object.fromEntries(noted);
}

/** Claims such as `scope: "read write"` as the lists that they mean. */
function normalized({ claims }: JsonWebToken, spaceDelimited: ReadonlySet<string>): Record<string, unknown> {
  const list = (name: string, value: unknown) =>
    spaceDelimited.has(name) && typeof value === "string" ? value.split(" ").filter((word) => word !== "") : value;
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, list(name, value)]));
}

/** Headers that a token sets, in order; a key may occur more than once. */
export function headersOf<Key>({ token, provider }: VerifiedToken<Key>): [key: Key, value: string][] {
  const { payloadHeader, padPayload, claimHeaders } = provider.output;
  const headers: [Key, string][] = [];
  if (payloadHeader !== null) headers.push([payloadHeader, padPayload ? padded(token.payload) : token.payload]);
  for (const { key, path } of claimHeaders) {
    const value = claimText(claimAt(token.claims, path));
    if (value !== "") headers.push([key, value]);
  }
  return headers;
}

function claimAt(claims: JsonWebToken["claims"], path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** As Envoy writes claims into headers: fractions with six digits, what has no plain text as base64 of its JSON. */
function claimText(value: unknown): string {
  switch (typeof value) {
    case "string":
      // Header values are bytes.
      return Buffer.from(value, "utf8").toString("latin1");
    case "number":
      return Number.isInteger(value) ? String(value) : value.toFixed(6);
    case "boolean":
      return String(value);
    case "object":
      return value === null ? "" : Buffer.from(JSON.stringify(value)).toString("base64");
    default:
      return "";
  }
}

function padded(base64url: string): string {
  return base64url.padEnd(Math.ceil(base64url.length / 4) * 4, "=");
}
