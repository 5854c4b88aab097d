import type { Clock } from "@mixerless/clock";
import { JWT_STATUS_TEXT, type JwtStatus } from "@mixerless/identity/jwt";
import {
  Evaluation,
  headersOf,
  JWT_METADATA,
  type KeySource,
  metadataOf,
  type Requirement,
  type VerifiedToken,
  withoutParam,
} from "@mixerless/policy/jwt";
import type { HeaderMap } from "../../http/header-map.ts";
import { H, HeaderName } from "../../http/header-name.ts";
import { FilterStatus, type FilterStream, HttpFilter, type LocalReply } from "../../http/http-filter.ts";
import type { JwtAuthnConfig } from "./config.ts";
import type { JwtAuthnStats } from "./stats.ts";

const COOKIE = HeaderName.of("cookie");
const ORIGIN = HeaderName.of("origin");
const REQUEST_METHOD = HeaderName.of("access-control-request-method");
const AUTHENTICATE = HeaderName.of("www-authenticate");
/** Of the path in the realm. */
const MOST_REALM_PATH = 256;

/** What the filters of one chain share. */
export interface JwtAuthnShares {
  readonly config: JwtAuthnConfig;
  readonly stats: JwtAuthnStats;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Takes the place of the rules for some routes. */
export type RouteRequirement = { readonly requirement: Requirement<HeaderName> } | { readonly unknown: string };

/** Verifies the tokens of a request and notes what they say, or answers 401 [control-plane §6.5]. */
export class JwtAuthnFilter extends HttpFilter {
  readonly #shares: JwtAuthnShares;
  readonly #route: RouteRequirement | null;
  #fetch: { cancel(): void } | null = null;

  constructor(stream: FilterStream, shares: JwtAuthnShares, route: RouteRequirement | null) {
    super(stream);
    this.#shares = shares;
    this.#route = route;
  }

  override decodeHeaders(headers: HeaderMap): number {
    const { config, stats, random } = this.#shares;
    // Whoever reads these headers takes them for verified, so nobody else may have written them.
    for (const name of config.ownHeaders) headers.remove(name);
    if (config.bypassPreflight && isPreflight(headers)) {
      stats.cors_preflight_bypassed.add(1);
      return FilterStatus.Continue;
    }
    if (this.#route !== null && "unknown" in this.#route) return this.#refuseRoute(this.#route.unknown);
    const requirement = this.#route?.requirement ?? config.requirementOf(headers, random);
    if (requirement === null) {
      stats.allowed.add(1);
      return FilterStatus.Continue;
    }
    return this.#look(headers, requirement, new Set()) ? FilterStatus.Continue : FilterStatus.Stop;
  }

  override onEnd(): void {
    this.#fetch?.cancel();
  }

  /** Whether the request may go on now. */
  #look(headers: HeaderMap, requirement: Requirement<HeaderName>, fetched: ReadonlySet<KeySource>): boolean {
    const { stats, clock } = this.#shares;
    const request = { header: (name: HeaderName) => headers.get(name), target: headers.get(H.path) ?? "" };
    const now = Math.floor(clock.now() / 1000);
    const evaluation = new Evaluation(request, COOKIE, now, fetched, {
      onCache: (hit) => (hit ? stats.jwt_cache_hit : stats.jwt_cache_miss).add(1),
    });
    const status = requirement(evaluation);
    const { waitsFor } = evaluation;
    if (waitsFor !== null) {
      this.#fetch = waitsFor.fetch(() => {
        this.#fetch = null;
        const mayGoOn = this.#look(headers, requirement, new Set([...fetched, waitsFor]));
        if (mayGoOn) this.stream.continueDecoding(this);
      });
      return false;
    }
    // Also of a request that is refused, for its log.
    this.#note(evaluation.verified);
    if (status !== null) {
      stats.denied.add(1);
      this.stream.sendLocalReply(this.#refusal(status, headers));
      return false;
    }
    stats.allowed.add(1);
    this.#apply(headers, evaluation.verified);
    return true;
  }

  #note(verified: readonly VerifiedToken<HeaderName>[]): void {
    const { info } = this.stream;
    const noted = metadataOf(verified);
    if (noted !== null) info.dynamicMetadata = { ...info.dynamicMetadata, [JWT_METADATA]: noted };
  }

  #apply(headers: HeaderMap, verified: readonly VerifiedToken<HeaderName>[]): void {
    for (const one of verified) {
      for (const [name, value] of headersOf(one)) headers.add(name, value);
      if (!one.provider.output.forward) remove(headers, one);
    }
    if (verified.some(({ provider }) => provider.output.clearRoute)) this.stream.chooseRouteAgain();
  }

  #refusal(status: JwtStatus, headers: HeaderMap): LocalReply {
    const { stripFailure } = this.#shares.config;
    const text = JWT_STATUS_TEXT[status];
    const realm = realmOf(headers);
    return {
      status: status === "audience-not-allowed" ? 403 : 401,
      body: stripFailure ? "" : text,
      details: details(text),
      flags: 0,
      edit: (response) => {
        const error = status === "missing" ? "" : ', error="invalid_token"';
        if (!stripFailure) response.set(AUTHENTICATE, `Bearer realm="${realm}"${error}`);
      },
    };
  }

  /** A route that asks for what is not there must not be open. */
  #refuseRoute(name: string): number {
    this.#shares.stats.denied.add(1);
    this.stream.sendLocalReply({
      status: 403,
      body: "Failed JWT authentication",
      details: details(`Wrong requirement_name: ${name}`),
      flags: 0,
    });
    return FilterStatus.Stop;
  }
}

/** One word, as all details are. */
function details(text: string): string {
  return `jwt_authn_access_denied{${text.replaceAll(/\s/g, "_")}}`;
}

/** A browser asks by itself, and without the token, whether it may send one. */
function isPreflight(headers: HeaderMap): boolean {
  if (!headers.valueEquals(H.method, "OPTIONS")) return false;
  return (headers.get(ORIGIN) ?? "") !== "" && (headers.get(REQUEST_METHOD) ?? "") !== "";
}

/** What was asked for, without the query, in which a token may stand. */
function realmOf(headers: HeaderMap): string {
  const path = (headers.get(H.xEnvoyOriginalPath) ?? headers.get(H.path) ?? "").replace(/[?#].*$/s, "");
  const scheme = headers.get(H.scheme) ?? "http";
  const whole = `${scheme}://${headers.get(H.authority) ?? ""}${path.slice(0, MOST_REALM_PATH)}`;
  return whole.replaceAll(/["\\]/g, "\\$&");
}

/** Cookies stay, as in Envoy: an application may live by them. */
function remove(headers: HeaderMap, { place }: VerifiedToken<HeaderName>): void {
  if (place.kind === "header") headers.remove(place.key);
  if (place.kind !== "param") return;
  const target = headers.get(H.path) ?? "";
  const without = withoutParam(target, place.name);
  if (without !== target) headers.set(H.path, without);
}
