// RequestAuthentication (§8.7).
import type { Cursor } from "../schema/cursor.ts";
import { duration } from "../schema/duration.ts";
import { lists, object, optional, required, withDefault } from "../schema/object.ts";
import { boolean, checked, convert, describe, nonEmpty, type Reader, string } from "../schema/reader.ts";
import { attachment, attachmentFields } from "../schema/shared-readers.ts";
import type { JwtRule, RequestAuthenticationSpec } from "./security.ts";

const keySetUri: Reader<string> = checked(nonEmpty, (text, at) => {
  if (/^https?:\/\/[^/\s]+/.test(text) && text.length <= 2048) return;
  at.error("bad-url", `${describe(text)}: url must have scheme http:// or https://.`, "Write the whole URL.");
});

const claimHeader: Reader<string> = checked(nonEmpty, (text, at) => {
  if (text === "" || /^[-_A-Za-z0-9]+$/.test(text)) return;
  at.error("bad-header", `${describe(text)} is no header name.`, "Use letters, digits, - and _.");
});

const jwtRule: Reader<JwtRule> = convert(
  object({
    issuer: withDefault(nonEmpty, ""),
    audiences: lists(nonEmpty),
    jwksUri: optional(keySetUri),
    jwks_uri: optional(keySetUri),
    jwks: optional(string),
    fromHeaders: lists(object({ name: required(nonEmpty), prefix: withDefault(string, "") })),
    fromParams: lists(nonEmpty),
    fromCookies: lists(nonEmpty),
    outputPayloadToHeader: withDefault(string, ""),
    outputClaimToHeaders: lists(object({ header: required(claimHeader), claim: required(nonEmpty) })),
    spaceDelimitedClaims: lists(nonEmpty, 64),
    forwardOriginalToken: withDefault(boolean, false),
    timeout: optional(duration()),
  }),
  ({ jwks_uri, jwksUri, jwks, ...read }, at) => {
    const uri = jwksUri ?? jwks_uri ?? "";
    if (read.issuer === "" && uri === "") {
      at.error("missing-field", "issuer or jwksUri must be set.", "Add issuer.");
    }
    // Written is set, even if empty: so say the published rules.
    if ([jwksUri, jwks_uri, jwks].filter((way) => way !== undefined).length > 1) {
      at.error("several-alternatives", "only one of jwks or jwksUri can be set.", "Keep one of them.");
    }
    if (jwks !== undefined && jwks !== "") checkKeySet(jwks, at.at("jwks"));
    return Object.freeze({ ...read, jwks: jwks ?? "", jwksUri: uri });
  },
);

function checkKeySet(text: string, at: Cursor): void {
  const keys = keysOf(text);
  if (keys === undefined) {
    at.error("bad-key-set", "jwks is no JSON Web Key Set.", 'Write {"keys": […]} as text.');
    return;
  }
  const hasPrivate = keys.some((key) => typeof key === "object" && key !== null && "d" in key);
  if (hasPrivate) at.warn("private-key", "jwks has the private part of a key.", "Publish the public part only.");
}

function keysOf(text: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || !("keys" in parsed)) return undefined;
    return Array.isArray(parsed.keys) ? parsed.keys : undefined;
  } catch {
    return undefined;
  }
}

export const requestAuthentication: Reader<RequestAuthenticationSpec> = convert(
  object({ ...attachmentFields, jwtRules: lists(jwtRule, 4096) }),
  ({ selector, targetRef, targetRefs, jwtRules }, at) => {
    const written = { ...(selector && { selector }), ...(targetRef && { targetRef }), targetRefs };
    return Object.freeze({ jwtRules, ...attachment(written, at) });
  },
);
