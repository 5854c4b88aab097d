import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { RouteAction_HashPolicySchema } from "@mixerless/wire/envoy/config/route/v3/route_components";
import {
  type DirectResponseAction,
  DirectResponseActionSchema,
  type RedirectAction,
  RedirectAction_RedirectResponseCode,
  RedirectActionSchema,
  type Route,
  type RouteAction,
  RouteActionSchema,
  RouteSchema,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { Destination, Milliseconds } from "../../config/kinds/common.ts";
import type { HttpDirectResponse, HttpMatch, HttpRedirect, HttpRetry } from "../../config/kinds/virtual-service.ts";
import type { ResolvedHttpRoute } from "../../model/virtual-service.ts";
import { configReference } from "../config-reference.ts";
import { outboundClusterName } from "../names.ts";
import { duration, istioMetadata } from "../proto.ts";
import { filterOverrides, fraction } from "./filter-overrides.ts";
import { headerEdits } from "./header-operations.ts";
import { retryPolicy } from "./retry-policy.ts";
import { matchEverything, routeMatch } from "./route-match.ts";
import type { RouteOrigins } from "./route-origins.ts";

/** What building a route asks about its surroundings. */
export interface RouteSurroundings {
  /** The port of the listener that the route is for: stands in for a destination port that nothing names. */
  readonly listenerPort: number;
  readonly isTls: boolean;
  /** Told where each route comes from. */
  readonly origins: RouteOrigins;
  /** A client that routes by itself, without a proxy. */
  readonly isGrpcClient: boolean;
  /** The number that a destination without a port means, by the service's only port; undefined when it has several. */
  onlyPort(host: string): number | undefined;
  /** The host that a host stands for: of an ExternalName its target, else the host itself. */
  targetOf(host: string): string;
  readonly meshRetries: HttpRetry | undefined;
  /** By the DestinationRule of the destination. */
  hashPolicy(destination: Destination): MessageInitShape<typeof RouteAction_HashPolicySchema>[];
}

/** One Envoy route of a VirtualService: `route` as far as it is reached by `match` (undefined: everything). */
export function httpRoute(
  virtualService: string,
  route: ResolvedHttpRoute,
  match: HttpMatch | undefined,
  around: RouteSurroundings,
): Route {
  const single = route.route.length === 1 ? route.route[0] : undefined;
  const edits = headerEdits(route.headers, single?.headers);
  const compiledMatch = match === undefined ? matchEverything() : routeMatch(match);
  const made = create(RouteSchema, {
    name: [route.name, match?.name ?? ""].filter((part) => part !== "").join("."),
    match: compiledMatch,
    metadata: istioMetadata({ config: configReference(route.config) }),
    action: routeAction(route, edits.hostRewrite, around),
    decorator: { operation: operation(virtualService, route, compiledMatch.pathSpecifier, around) },
    requestHeadersToAdd: edits.requestHeadersToAdd,
    requestHeadersToRemove: edits.requestHeadersToRemove,
    responseHeadersToAdd: edits.responseHeadersToAdd,
    responseHeadersToRemove: edits.responseHeadersToRemove,
    typedPerFilterConfig: filterOverrides(route.fault, route.corsPolicy),
    statPrefix: match?.statPrefix ?? "",
  });
  return around.origins.note(made, { config: route.config, path: route.path });
}

/** The route of a service that no VirtualService speaks for. */
export function defaultRoute(
  cluster: string,
  operationName: string,
  around: RouteSurroundings,
  destination: Destination,
): Route {
  const hash = around.hashPolicy(destination);
  return create(RouteSchema, {
    name: "default",
    match: matchEverything(),
    decorator: { operation: operationName },
    action: {
      case: "route",
      value: create(RouteActionSchema, {
        clusterSpecifier: { case: "cluster", value: cluster },
        ...timeouts(0, around),
        ...withRetries(undefined, around, hash.length > 0),
        hashPolicy: hash,
      }),
    },
  });
}

export function destinationCluster(destination: Destination, around: RouteSurroundings): string {
  const port = destination.port ?? around.onlyPort(destination.host) ?? around.listenerPort;
  return outboundClusterName(around.targetOf(destination.host), port, destination.subset);
}

/** A route without any action would make proxies refuse all routes of the port, other services' as well. */
const NO_ACTION: Route["action"] = {
  case: "directResponse",
  value: create(DirectResponseActionSchema, { status: 500 }),
};

function routeAction(route: ResolvedHttpRoute, hostRewrite: string, around: RouteSurroundings): Route["action"] {
  if (route.redirect !== undefined) {
    const redirect = redirectAction(route.redirect, around);
    return redirect === undefined ? NO_ACTION : { case: "redirect", value: redirect };
  }
  if (route.directResponse !== undefined)
    return { case: "directResponse", value: directResponse(route.directResponse) };
  return { case: "route", value: forwardAction(route, hostRewrite, around) };
}

function forwardAction(route: ResolvedHttpRoute, hostRewrite: string, around: RouteSurroundings): RouteAction {
  const { rewrite } = route;
  const hash = route.route.flatMap((entry) => around.hashPolicy(entry.destination));
  const host = rewrite !== undefined && rewrite.authority !== "" ? rewrite.authority : hostRewrite;
  return create(RouteActionSchema, {
    clusterSpecifier: clusterSpecifier(route, around),
    ...timeouts(route.timeout, around),
    ...(rewrite !== undefined && rewrite.uri !== "" ? { prefixRewrite: rewrite.uri } : {}),
    ...(rewrite?.uriRegexRewrite === undefined
      ? {}
      : {
          regexRewrite: {
            pattern: { regex: rewrite.uriRegexRewrite.match },
            substitution: rewrite.uriRegexRewrite.rewrite,
          },
        }),
    ...(host === "" ? {} : { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: host } }),
    ...withRetries(route.retries, around, hash.length > 0),
    hashPolicy: hash,
    requestMirrorPolicies: route.mirrors
      .filter((mirror) => mirror.percentage > 0)
      .map((mirror) => ({
        cluster: destinationCluster(mirror.destination, around),
        runtimeFraction: { defaultValue: fraction(mirror.percentage) },
        traceSampled: false,
        disableShadowHostSuffixAppend: true,
      })),
  });
}

function withRetries(retries: HttpRetry | undefined, around: RouteSurroundings, hashed: boolean) {
  const policy = retryPolicy(retries, around.meshRetries, hashed);
  return policy === undefined ? {} : { retryPolicy: policy };
}

/**
 * Absent and 0 both mean no limit; gRPC deadlines get the same bound [control-plane §7.10]. The newer
 * `max_stream_duration` would do for these, but Envoy ignores `timeout` beside it. gRPC clients know only that one.
 */
function timeouts(timeout: Milliseconds | undefined, { isGrpcClient }: RouteSurroundings) {
  const limit = duration(timeout ?? 0);
  if (isGrpcClient) return { timeout: limit, maxStreamDuration: { maxStreamDuration: limit } };
  return { timeout: limit, maxGrpcTimeout: limit };
}

function clusterSpecifier(route: ResolvedHttpRoute, around: RouteSurroundings): RouteAction["clusterSpecifier"] {
  const [first] = route.route;
  if (first !== undefined && route.route.length === 1)
    return { case: "cluster", value: destinationCluster(first.destination, around) };
  const weighted = create(RouteActionSchema, {
    clusterSpecifier: {
      case: "weightedClusters",
      value: {
        clusters: route.route
          .filter((entry) => entry.weight > 0)
          .map((entry) => {
            const { hostRewrite, ...edits } = headerEdits(entry.headers);
            return {
              name: destinationCluster(entry.destination, around),
              weight: entry.weight,
              ...edits,
              ...(hostRewrite === ""
                ? {}
                : { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: hostRewrite } as const }),
            };
          }),
      },
    },
  });
  return weighted.clusterSpecifier;
}

const REDIRECT_CODES: Readonly<Record<number, RedirectAction_RedirectResponseCode>> = {
  0: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  301: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  302: RedirectAction_RedirectResponseCode.FOUND,
  303: RedirectAction_RedirectResponseCode.SEE_OTHER,
  307: RedirectAction_RedirectResponseCode.TEMPORARY_REDIRECT,
  308: RedirectAction_RedirectResponseCode.PERMANENT_REDIRECT,
};

/** Undefined for a code that is no redirect: the route then has no such action [control-plane §7.10]. */
function redirectAction(redirect: HttpRedirect, around: RouteSurroundings): RedirectAction | undefined {
  const responseCode = REDIRECT_CODES[redirect.redirectCode];
  if (responseCode === undefined) return undefined;
  const action = create(RedirectActionSchema, {
    responseCode,
    hostRedirect: redirect.authority,
    portRedirect: redirectPort(redirect, around),
  });
  if (redirect.uri !== "") action.pathRewriteSpecifier = { case: "pathRedirect", value: redirect.uri };
  if (redirect.scheme !== "") action.schemeRewriteSpecifier = { case: "schemeRedirect", value: redirect.scheme };
  return action;
}

function redirectPort(redirect: HttpRedirect, around: RouteSurroundings): number {
  const port = redirect.derivePort === "FROM_REQUEST_PORT" ? around.listenerPort : (redirect.port ?? 0);
  const scheme = redirect.scheme !== "" ? redirect.scheme : around.isTls ? "https" : "http";
  const isDefault = (port === 80 && scheme === "http") || (port === 443 && scheme === "https");
  return isDefault ? 0 : port;
}

function directResponse({ status, body }: HttpDirectResponse): DirectResponseAction {
  if (body === undefined) return create(DirectResponseActionSchema, { status });
  const specifier =
    typeof body === "string"
      ? ({ case: "inlineString", value: body } as const)
      : ({ case: "inlineBytes", value: new Uint8Array(body) } as const);
  return create(DirectResponseActionSchema, { status, body: { specifier } });
}

/** The name of the operation in traces: `<host>:<port>/*` for one destination, else by the VirtualService. */
function operation(
  virtualService: string,
  route: ResolvedHttpRoute,
  path: ReturnType<typeof matchEverything>["pathSpecifier"],
  around: RouteSurroundings,
): string {
  const shown =
    path.case === "prefix"
      ? `${path.value}*`
      : path.case === "path"
        ? path.value
        : path.case === "safeRegex"
          ? path.value.regex
          : "/*";
  const [only] = route.route;
  if (only === undefined || route.route.length !== 1) return `${virtualService}:${around.listenerPort}${shown}`;
  const port = only.destination.port ?? around.onlyPort(only.destination.host) ?? around.listenerPort;
  return `${only.destination.host}:${port}${shown}`;
}
