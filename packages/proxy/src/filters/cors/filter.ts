import { EnvoyHeader } from "../../http/envoy-header-name.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import { H, HeaderName } from "../../http/header-name.ts";
import { FilterStatus, type FilterStream, HttpFilter } from "../../http/http-filter.ts";
import type { CorsPolicy } from "./config.ts";

const Access = {
  requestMethod: HeaderName.of("access-control-request-method"),
  allowOrigin: HeaderName.of("access-control-allow-origin"),
  allowMethods: HeaderName.of("access-control-allow-methods"),
  allowHeaders: HeaderName.of("access-control-allow-headers"),
  allowCredentials: HeaderName.of("access-control-allow-credentials"),
  exposeHeaders: HeaderName.of("access-control-expose-headers"),
  maxAge: HeaderName.of("access-control-max-age"),
} as const;

/** Answers the preflight requests of browsers and marks the answers to the requests that follow. */
export class CorsFilter extends HttpFilter {
  readonly #policy: CorsPolicy;
  /** Of a request whose origin is allowed. */
  #origin: string | null = null;

  constructor(stream: FilterStream, policy: CorsPolicy) {
    super(stream);
    this.#policy = policy;
  }

  override decodeHeaders(headers: HeaderMap): number {
    const origin = headers.get(EnvoyHeader.origin);
    if (origin === null || origin === "") return FilterStatus.Continue;
    const preflight = headers.valueEquals(H.method, "OPTIONS") && headers.has(Access.requestMethod);
    if (!this.#policy.origins.some((allows) => allows(origin))) {
      if (!preflight || this.#policy.forwardUnmatchedPreflights) return FilterStatus.Continue;
      this.#answer(() => {});
      return FilterStatus.Stop;
    }
    this.#origin = origin;
    if (!preflight) return FilterStatus.Continue;
    this.#answer((response) => this.#allow(response));
    return FilterStatus.Stop;
  }

  override encodeHeaders(headers: HeaderMap): number {
    if (this.#origin === null) return FilterStatus.Continue;
    headers.set(Access.allowOrigin, this.#origin);
    if (this.#policy.allowCredentials) headers.set(Access.allowCredentials, "true");
    if (this.#policy.exposeHeaders !== "") headers.set(Access.exposeHeaders, this.#policy.exposeHeaders);
    return FilterStatus.Continue;
  }

  #allow(response: HeaderMap): void {
    const { allowMethods, allowHeaders, maxAge } = this.#policy;
    if (allowMethods !== "") response.set(Access.allowMethods, allowMethods);
    if (allowHeaders !== "") response.set(Access.allowHeaders, allowHeaders);
    if (maxAge !== "") response.set(Access.maxAge, maxAge);
  }

  #answer(edit: (response: HeaderMap) => void): void {
    this.stream.sendLocalReply({ status: 200, body: "", details: "cors_response", flags: 0, edit });
  }
}
