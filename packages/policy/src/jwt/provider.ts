import type { JsonWebToken, JwtStatus } from "@mixerless/identity/jwt";
import { compileStringMatcher, type TextTest } from "@mixerless/matchers";
import type { JwtProvider } from "@mixerless/wire/envoy/extensions/filters/http/jwt_authn/v3/config";
import type { CompileContext } from "../compile-context.ts";
import type { KeySource } from "./key-source.ts";
import { placesOf, type TokenPlace } from "./token-locations.ts";
import { VerifiedCache } from "./verified-cache.ts";

/** An issuer whose tokens are taken, compiled. */
export interface Provider<Key> {
  readonly name: string;
  /** Empty: any. */
  readonly issuer: string;
  /** As {@link plainAudience}; empty: any. */
  readonly audiences: ReadonlySet<string>;
  readonly subjects: TextTest | null;
  readonly requireExpiration: boolean;
  /** Seconds; null: any. */
  readonly maxLifetime: number | null;
  readonly clockSkew: number;
  readonly keys: KeySource;
  readonly places: readonly TokenPlace<Key>[];
  /** Null: every signature is checked. */
  readonly cache: VerifiedCache | null;
  /** What becomes of a token that is valid. */
  readonly output: ProviderOutput<Key>;
}

export interface ProviderOutput<Key> {
  /** The token goes on to the application. */
  readonly forward: boolean;
  readonly payloadHeader: Key | null;
  readonly padPayload: boolean;
  /** Keys in the dynamic metadata; empty: not noted. */
  readonly payloadInMetadata: string;
  readonly headerInMetadata: string;
  readonly spaceDelimited: ReadonlySet<string>;
  readonly claimHeaders: readonly { readonly key: Key; readonly path: readonly string[] }[];
  readonly clearRoute: boolean;
}

export interface ProviderContext<Key> extends CompileContext<Key> {
  /** Null after adding faults. */
  keySource(provider: JwtProvider, path: string): KeySource | null;
}

const DEFAULT_SKEW = 60;
const DEFAULT_CACHE = 100;

/** Compiles `JwtProvider`; null after adding faults. */
export function compileProvider<Key>(
  name: string,
  message: JwtProvider,
  path: string,
  context: ProviderContext<Key>,
): Provider<Key> | null {
  const { faults, headerKey } = context;
  if (message.failedStatusInMetadata !== "")
    faults.push({ path: `${path}.failedStatusInMetadata`, message: "is not supported" });
  const keys = context.keySource(message, path);
  if (keys === null) return null;
  const { subjects, maxLifetime, jwtCacheConfig } = message;
  return {
    name,
    issuer: message.issuer,
    audiences: new Set(message.audiences.map(plainAudience)),
    subjects: subjects === undefined ? null : compileStringMatcher(subjects, `${path}.subjects`, faults),
    requireExpiration: message.requireExpiration,
    maxLifetime: maxLifetime === undefined ? null : Number(maxLifetime.seconds),
    clockSkew: message.clockSkewSeconds === 0 ? DEFAULT_SKEW : message.clockSkewSeconds,
    keys,
    places: placesOf(message, headerKey),
    cache: jwtCacheConfig === undefined ? null : new VerifiedCache(jwtCacheConfig.jwtCacheSize || DEFAULT_CACHE),
    output: {
      forward: message.forward,
      payloadHeader: message.forwardPayloadHeader === "" ? null : headerKey(message.forwardPayloadHeader.toLowerCase()),
      padPayload: message.padForwardPayloadHeader,
      payloadInMetadata: message.payloadInMetadata,
      headerInMetadata: message.headerInMetadata,
      spaceDelimited: new Set(message.normalizePayloadInMetadata?.spaceDelimitedClaims),
      claimHeaders: message.claimToHeaders.map(({ headerName, claimName }) => ({
        key: headerKey(headerName.toLowerCase()),
        path: claimName.split("."),
      })),
      clearRoute: message.clearRouteCache,
    },
  };
}

/** What about a token that a provider of its issuer is asked about is not right, the signature apart; null: nothing. */
export function checkClaims(
  token: JsonWebToken,
  provider: Provider<never>,
  audiences: ReadonlySet<string>,
  now: number,
): JwtStatus | null {
  const { subjects, clockSkew, requireExpiration, maxLifetime } = provider;
  const { notBefore, expires } = token;
  if (subjects !== null && !subjects(token.subject)) return "verification-failed";
  if (notBefore !== null && notBefore > now + clockSkew) return "not-yet-valid";
  if (expires !== null && now > expires + clockSkew) return "expired";
  if (requireExpiration && expires === null) return "no-expiration";
  if (maxLifetime !== null && (expires === null || expires - now > maxLifetime)) return "lives-too-long";
  const allowed = audiences.size === 0 || token.audiences.some((one) => audiences.has(plainAudience(one)));
  return allowed ? null : "audience-not-allowed";
}

/** Envoy compares audiences without their scheme and without a slash at the end. */
export function plainAudience(audience: string): string {
  return audience.replace(/^https?:\/\//, "").replace(/\/$/, "");
}
