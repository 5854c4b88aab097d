import type { JwtProvider } from "@mixerless/wire/envoy/extensions/filters/http/jwt_authn/v3/config";

/** Where tokens are looked for. */
export type TokenPlace<Key> =
  | { readonly kind: "header"; readonly name: string; readonly key: Key; readonly prefix: string }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "cookie"; readonly name: string };

export interface FoundToken<Key> {
  readonly text: string;
  readonly place: TokenPlace<Key>;
}

/** What tokens are found in. */
export interface TokenRequest<Key> {
  /** All values of a header joined by commas, or null. */
  header(key: Key): string | null;
  /** With its query. */
  readonly target: string;
}

/** A request with more of them is refused: each costs the check of a signature. */
export const MOST_TOKENS = 8;

/** The places of a provider; `Authorization: Bearer` and `access_token` where it names none. */
export function placesOf<Key>(
  { fromHeaders, fromParams, fromCookies }: Pick<JwtProvider, "fromHeaders" | "fromParams" | "fromCookies">,
  headerKey: (name: string) => Key,
): TokenPlace<Key>[] {
  const header = (name: string, prefix: string) => ({
    kind: "header" as const,
    name: name.toLowerCase(),
    key: headerKey(name.toLowerCase()),
    prefix,
  });
  if (fromHeaders.length + fromParams.length + fromCookies.length === 0)
    return [header("authorization", "Bearer "), { kind: "param", name: "access_token" }];
  return [
    ...fromHeaders.map(({ name, valuePrefix }) => header(name, valuePrefix)),
    ...fromParams.map((name) => ({ kind: "param" as const, name })),
    ...fromCookies.map((name) => ({ kind: "cookie" as const, name })),
  ];
}

/**
 * Every token in a place. Where one has several lines, Envoy looks at the first token only, and an application might
 * look at the last; here all are found, and all must be valid.
 */
export function tokensIn<Key>(
  place: TokenPlace<Key>,
  request: TokenRequest<Key>,
  cookieKey: Key,
): readonly FoundToken<Key>[] {
  return textsIn(place, request, cookieKey).map((text) => ({ text, place }));
}

function textsIn<Key>(place: TokenPlace<Key>, request: TokenRequest<Key>, cookieKey: Key): readonly string[] {
  switch (place.kind) {
    case "header":
      return headerTokens(request.header(place.key), place.prefix);
    case "param":
      return paramTokens(request.target, place.name);
    case "cookie":
      return cookieTokens(request.header(cookieKey), place.name);
  }
}

/** Lines of one name are joined by commas, which no token holds. */
function headerTokens(value: string | null, prefix: string): string[] {
  if (value === null) return [];
  if (prefix === "") return value.split(",").map((line) => line.trim());
  return value.split(",").flatMap((line) => {
    const start = line.indexOf(prefix);
    return start < 0 ? [] : [tokenAt(line, start + prefix.length)];
  });
}

/** As Envoy: the run of characters of a token after the prefix, whatever stands around it. */
function tokenAt(line: string, from: number): string {
  return /[A-Za-z0-9\-_.+/=]+/.exec(line.slice(from))?.[0] ?? "";
}

function paramTokens(target: string, name: string): string[] {
  const query = queryOf(target);
  return query === "" ? [] : new URLSearchParams(query).getAll(name);
}

function cookieTokens(value: string | null, name: string): string[] {
  if (value === null) return [];
  return value.split(/[;,]/).flatMap((pair) => {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) return [];
    return [
      pair
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, "$1"),
    ];
  });
}

/** The target without a parameter of the query. */
export function withoutParam(target: string, name: string): string {
  const query = queryOf(target);
  if (query === "") return target;
  // Pair by pair, so that what others wrote stays as they wrote it.
  const kept = query.split("&").filter((pair) => !new URLSearchParams(pair).has(name));
  const path = target.slice(0, target.indexOf("?"));
  return kept.length === 0 ? path : `${path}?${kept.join("&")}`;
}

function queryOf(target: string): string {
  const start = target.indexOf("?");
  return start < 0 ? "" : target.slice(start + 1).replace(/#.*$/s, "");
}
