import type { Destination, Milliseconds, StringMap, StringMatch } from "./common.ts";

/** networking.istio.io VirtualService. */
export interface VirtualServiceSpec {
  /** As written. Empty for a delegate. */
  readonly hosts: readonly string[];
  /** As written; `["mesh"]` when absent, empty for a delegate. */
  readonly gateways: readonly string[];
  readonly http: readonly HttpRoute[];
  readonly tls: readonly TlsRoute[];
  readonly tcp: readonly TcpRoute[];
  /** Empty means the mesh default. */
  readonly exportTo: readonly string[];
}

/** One entry of `http`. Has exactly one of a non-empty `route`, `redirect`, `directResponse`, `delegate`. */
export interface HttpRoute {
  readonly name: string;
  /** ORed; empty matches everything. */
  readonly match: readonly HttpMatch[];
  readonly route: readonly HttpRouteDestination[];
  readonly redirect?: HttpRedirect;
  readonly directResponse?: HttpDirectResponse;
  readonly delegate?: Delegate;
  readonly rewrite?: HttpRewrite;
  readonly timeout?: Milliseconds;
  readonly retries?: HttpRetry;
  readonly fault?: HttpFault;
  /** `mirror` with its percentage, or `mirrors`; percentages of 100 filled in. */
  readonly mirrors: readonly HttpMirror[];
  readonly corsPolicy?: CorsPolicy;
  readonly headers?: Headers;
}

/** ANDed conditions. */
export interface HttpMatch {
  readonly name: string;
  readonly uri?: StringMatch;
  readonly ignoreUriCase: boolean;
  readonly scheme?: StringMatch;
  readonly method?: StringMatch;
  readonly authority?: StringMatch;
  /** Keys are lower-cased header names, `@request.auth.claims…` kept as written. */
  readonly headers: Readonly<Record<string, StringMatch>>;
  readonly withoutHeaders: Readonly<Record<string, StringMatch>>;
  readonly queryParams: Readonly<Record<string, StringMatch>>;
  readonly port?: number;
  readonly sourceLabels: StringMap;
  readonly sourceNamespace: string;
  readonly gateways: readonly string[];
  readonly statPrefix: string;
}

export interface HttpRouteDestination {
  readonly destination: Destination;
  /** 0 when absent. A single destination takes everything whatever its weight. */
  readonly weight: number;
  readonly headers?: Headers;
}

export interface HeaderOperations {
  readonly set: StringMap;
  readonly add: StringMap;
  readonly remove: readonly string[];
}

export interface Headers {
  readonly request?: HeaderOperations;
  readonly response?: HeaderOperations;
}

export interface HttpRedirect {
  readonly uri: string;
  readonly authority: string;
  readonly scheme: string;
  readonly port?: number;
  readonly derivePort?: "FROM_PROTOCOL_DEFAULT" | "FROM_REQUEST_PORT";
  /** 0 when absent (means 301). */
  readonly redirectCode: number;
}

export interface HttpDirectResponse {
  readonly status: number;
  readonly body?: string | Uint8Array;
}

export interface Delegate {
  readonly name: string;
  /** Empty means the namespace of the root. */
  readonly namespace: string;
}

export interface HttpRewrite {
  readonly uri: string;
  readonly authority: string;
  readonly uriRegexRewrite?: { readonly match: string; readonly rewrite: string };
}

export interface HttpRetry {
  readonly attempts: number;
  readonly perTryTimeout?: Milliseconds;
  /** As written, comma separated; empty when absent. */
  readonly retryOn: string;
  readonly retryRemoteLocalities?: boolean;
  readonly retryIgnorePreviousHosts?: boolean;
  readonly backoff?: Milliseconds;
}

export interface HttpFault {
  readonly delay?: FaultDelay;
  readonly abort?: FaultAbort;
}

export interface FaultDelay {
  readonly fixedDelay: Milliseconds;
  /** 0 to 100. Absent when neither `percentage` nor the old `percent` is written. */
  readonly percentage?: number;
}

export interface FaultAbort {
  readonly httpStatus?: number;
  /** A canonical name such as `UNAVAILABLE`. */
  readonly grpcStatus?: string;
  /** 0 to 100. */
  readonly percentage?: number;
}

export interface HttpMirror {
  readonly destination: Destination;
  /** 0 to 100. */
  readonly percentage: number;
}

export interface CorsPolicy {
  /** `allowOrigins`, or the old `allowOrigin` as exact matches. */
  readonly allowOrigins: readonly StringMatch[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAge?: Milliseconds;
  readonly allowCredentials?: boolean;
  readonly unmatchedPreflights: "UNSPECIFIED" | "FORWARD" | "IGNORE";
}

export interface TlsRoute {
  readonly match: readonly TlsMatch[];
  readonly route: readonly RouteDestination[];
}

export interface TcpRoute {
  readonly match: readonly L4Match[];
  readonly route: readonly RouteDestination[];
}

export interface L4Match {
  readonly destinationSubnets: readonly string[];
  readonly port?: number;
  readonly sourceLabels: StringMap;
  readonly sourceNamespace: string;
  readonly gateways: readonly string[];
}

export interface TlsMatch extends L4Match {
  readonly sniHosts: readonly string[];
}

export interface RouteDestination {
  readonly destination: Destination;
  readonly weight: number;
}
