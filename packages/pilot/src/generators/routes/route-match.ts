import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type QueryParameterMatcher,
  QueryParameterMatcherSchema,
  type RouteMatch,
  RouteMatchSchema,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { MetadataMatcherSchema } from "@mixerless/wire/envoy/type/matcher/v3/metadata";
import { RegexMatcherSchema } from "@mixerless/wire/envoy/type/matcher/v3/regex";
import type { StringMatch } from "../../config/kinds/common.ts";
import type { HttpMatch } from "../../config/kinds/virtual-service.ts";
import { asksForPresence, stringMatcher } from "./string-match.ts";

/** A match without conditions: every path. */
export function matchEverything(): RouteMatch {
  return create(RouteMatchSchema, { pathSpecifier: { case: "prefix", value: "/" } });
}

/** One entry of `match` as Envoy's RouteMatch [control-plane §7.2]. */
export function routeMatch(match: HttpMatch): RouteMatch {
  const message = create(RouteMatchSchema, {
    pathSpecifier: pathSpecifier(match.uri),
    caseSensitive: !match.ignoreUriCase,
    headers: headerMatchers(match),
    queryParameters: sortedEntries(match.queryParams).map(([name, value]) => queryMatcher(name, value)),
    dynamicMetadata: claimMatchers(match),
  });
  return message;
}

/** Whether nothing behind this match can ever be reached. */
export function isCatchAll(match: RouteMatch): boolean {
  const path = match.pathSpecifier;
  const everyPath =
    (path.case === "prefix" && path.value === "/") || (path.case === "safeRegex" && path.value.regex === ".*");
  return (
    everyPath && match.headers.length === 0 && match.queryParameters.length === 0 && match.dynamicMetadata.length === 0
  );
}

function pathSpecifier(uri: StringMatch | undefined): RouteMatch["pathSpecifier"] {
  switch (uri?.type) {
    case "exact":
      return { case: "path", value: uri.value };
    case "prefix":
      return { case: "prefix", value: uri.value };
    case "regex":
      return { case: "safeRegex", value: create(RegexMatcherSchema, { regex: uri.value }) };
    default:
      return { case: "prefix", value: "/" };
  }
}

const CLAIM = "@request.auth.claims";

function headerMatchers(match: HttpMatch): HeaderMatcher[] {
  const matchers: HeaderMatcher[] = [];
  for (const [name, value] of sortedEntries(match.headers))
    if (!name.startsWith(CLAIM)) matchers.push(headerMatcher(name, value));
  for (const [name, value] of sortedEntries(match.withoutHeaders))
    if (!name.startsWith(CLAIM)) matchers.push(withoutHeader(name, value));
  if (match.method !== undefined) matchers.push(headerMatcher(":method", match.method));
  if (match.authority !== undefined) matchers.push(headerMatcher(":authority", match.authority));
  if (match.scheme !== undefined) matchers.push(headerMatcher(":scheme", match.scheme));
  return matchers;
}

function headerMatcher(name: string, match: StringMatch): HeaderMatcher {
  if (asksForPresence(match)) {
    return create(HeaderMatcherSchema, { name, headerMatchSpecifier: { case: "presentMatch", value: true } });
  }
  return create(HeaderMatcherSchema, {
    name,
    headerMatchSpecifier: { case: "stringMatch", value: stringMatcher(match) },
  });
}

/** A header that is not there counts as empty, so that "without x: y" holds for a request without x. */
function withoutHeader(name: string, match: StringMatch): HeaderMatcher {
  const matcher = headerMatcher(name, match);
  matcher.invertMatch = true;
  if (matcher.headerMatchSpecifier.case !== "presentMatch") matcher.treatMissingHeaderAsEmpty = true;
  return matcher;
}

function queryMatcher(name: string, match: StringMatch): QueryParameterMatcher {
  if (asksForPresence(match)) {
    return create(QueryParameterMatcherSchema, {
      name,
      queryParameterMatchSpecifier: { case: "presentMatch", value: true },
    });
  }
  return create(QueryParameterMatcherSchema, {
    name,
    queryParameterMatchSpecifier: { case: "stringMatch", value: stringMatcher(match) },
  });
}

/** `@request.auth.claims.a.b` and `@request.auth.claims[a][b]` look into what JWT authentication left behind. */
function claimMatchers(match: HttpMatch): MessageInitShape<typeof MetadataMatcherSchema>[] {
  const matchers: MessageInitShape<typeof MetadataMatcherSchema>[] = [];
  const add = (headers: HttpMatch["headers"], invert: boolean) => {
    for (const [name, value] of sortedEntries(headers))
      if (name.startsWith(CLAIM)) matchers.push(claimMatcher(name, value, invert));
  };
  add(match.headers, false);
  add(match.withoutHeaders, true);
  return matchers;
}

function claimMatcher(
  name: string,
  match: StringMatch,
  invert: boolean,
): MessageInitShape<typeof MetadataMatcherSchema> {
  const rest = name.slice(CLAIM.length);
  const keys = rest.startsWith("[")
    ? [...rest.matchAll(/\[([^\]]*)\]/g)].map((found) => found[1] ?? "")
    : rest.slice(1).split(".");
  const value = asksForPresence(match)
    ? ({ matchPattern: { case: "presentMatch", value: true } } as const)
    : ({ matchPattern: { case: "stringMatch", value: stringMatcher(match) } } as const);
  return {
    filter: "envoy.filters.http.jwt_authn",
    path: ["payload", ...keys].map((key) => ({ segment: { case: "key", value: key } })),
    value: {
      matchPattern: {
        case: "orMatch",
        value: {
          valueMatchers: [
            value,
            { matchPattern: { case: "listMatch", value: { matchPattern: { case: "oneOf", value } } } },
          ],
        },
      },
    },
    invert,
  };
}

function sortedEntries<V>(map: Readonly<Record<string, V>>): [string, V][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}
