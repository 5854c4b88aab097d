import { compileMetadataMatcher, type MetadataTest } from "@mixerless/matchers";
import type { RouteMatch } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";
import { isGrpcRequest } from "../grpc.ts";
import type { HeaderMap } from "../header-map.ts";
import { runtimeFraction } from "./fraction.ts";
import { compileHeaderMatcher, type HeaderMatch } from "./header-matcher.ts";
import { compilePathMatcher, type PathMatcher } from "./path-matcher.ts";
import { compileQueryMatcher, type QueryMatch } from "./query-matcher.ts";

/** What filters noted about a request, by their names. */
export type Noted = Readonly<Record<string, unknown>> | null;

/** The condition of one route entry. Its parts are all asked, cheapest first. */
export class RouteCondition {
  readonly path: PathMatcher;
  readonly #headers: readonly HeaderMatch[];
  readonly #query: readonly QueryMatch[];
  readonly #grpc: boolean;
  readonly #fraction: number;
  readonly #metadata: readonly MetadataTest[];

  constructor(
    path: PathMatcher,
    headers: readonly HeaderMatch[],
    query: readonly QueryMatch[],
    grpc: boolean,
    fraction: number,
    metadata: readonly MetadataTest[],
  ) {
    this.path = path;
    this.#headers = headers;
    this.#query = query;
    this.#grpc = grpc;
    this.#fraction = fraction;
    this.#metadata = metadata;
  }

  /**
   * `pathEnd` is where the query begins; `random` is the request's own number in [0, 1); `noted` the dynamic metadata
   * of filters that ran before.
   */
  matches(headers: HeaderMap, path: string, pathEnd: number, random: number, noted: Noted = null): boolean {
    if (!this.path.test(path, pathEnd)) return false;
    for (const matches of this.#headers) if (!matches(headers)) return false;
    for (const matches of this.#query) if (!matches(path)) return false;
    for (const { filter, test } of this.#metadata) if (!test(noted?.[filter])) return false;
    return (!this.#grpc || isGrpcRequest(headers)) && random < this.#fraction;
  }
}

export function compileRouteCondition(
  match: RouteMatch | undefined,
  path: string,
  faults: ConfigFault[],
): RouteCondition | null {
  if (match === undefined) {
    faults.push({ path, message: "a route needs a match" });
    return null;
  }
  if (match.tlsContext !== undefined) faults.push({ path: `${path}.tlsContext`, message: "is not supported" });
  return new RouteCondition(
    compilePathMatcher(match, path, faults),
    match.headers.map((header, i) => compileHeaderMatcher(header, `${path}.headers[${i}]`, faults)),
    match.queryParameters.map((query, i) => compileQueryMatcher(query, `${path}.queryParameters[${i}]`, faults)),
    match.grpc !== undefined,
    runtimeFraction(match.runtimeFraction, 1),
    match.dynamicMetadata.map((one, i) => compileMetadataMatcher(one, `${path}.dynamicMetadata[${i}]`, faults)),
  );
}
