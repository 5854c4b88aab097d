import { RoutingPriority } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  type DirectResponseAction as DirectResponseConfig,
  RouteAction_ClusterNotFoundResponseCode as NotFoundCode,
  type Route,
  type RouteAction,
  type VirtualHost,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import { inlineText } from "../../access-log/format/compile-format.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import { milliseconds } from "./duration.ts";
import { compileHashPolicies, type HashPolicies } from "./hash-policy.ts";
import { compileMirrors, type MirrorPolicy } from "./mirror-policy.ts";
import type { PathMatcher } from "./path-matcher.ts";
import { compileRedirect, type RedirectAction } from "./redirect.ts";
import { compileRetryPolicy, type RetryPolicy } from "./retry-policy.ts";
import { compileHostRewrite, compilePathRewrite, type HostRewrite, type PathRewrite } from "./rewrites.ts";

/** A route that answers by itself. */
export interface DirectResponseAction {
  readonly kind: "direct-response";
  readonly status: number;
  readonly body: string;
}

/** A route that leads to a cluster. Times are milliseconds; 0: no limit; null: not said here. */
export interface ForwardAction {
  readonly kind: "forward";
  readonly clusterNotFoundStatus: number;
  readonly rewritePath: PathRewrite | null;
  readonly rewriteHost: HostRewrite | null;
  /** The authority becomes the host name of the chosen endpoint. */
  readonly autoHostRewrite: boolean;
  readonly appendXForwardedHost: boolean;
  /** From the end of the request to the end of the response. */
  readonly timeout: number;
  readonly idleTimeout: number | null;
  /** Caps the `grpc-timeout` of gRPC requests, which then replaces `timeout`; 0: as the client says. */
  readonly maxGrpcTimeout: number | null;
  readonly grpcTimeoutOffset: number;
  /** `max_stream_duration` is there, if only empty: as in Envoy, `timeout` and `maxGrpcTimeout` then mean nothing. */
  readonly hasStreamDuration: boolean;
  readonly maxStreamDuration: number | null;
  readonly grpcTimeoutHeaderMax: number | null;
  readonly grpcTimeoutHeaderOffset: number;
  /** Requests of this route have limits and connections of their own. */
  readonly highPriority: boolean;
  readonly retry: RetryPolicy | null;
  readonly hash: HashPolicies | null;
  readonly mirrors: readonly MirrorPolicy[];
  /** By lower-case upgrade type; what is not there follows the connection manager. */
  readonly upgrades: ReadonlyMap<string, boolean> | null;
  /** Most bytes of a request body that are kept for retries; null: the listener's. */
  readonly bufferLimit: number | null;
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
}

export type Action = ForwardAction | RedirectAction | DirectResponseAction;

/** Compiles the action of a route, except for the choice of its cluster. */
export function compileAction(
  route: Route,
  host: VirtualHost,
  matcher: PathMatcher,
  path: string,
  maxBodyBytes: number,
  faults: ConfigFault[],
): Action | null {
  switch (route.action.case) {
    case "route":
      return compileForward(route.action.value, route, host, matcher, `${path}.route`, faults);
    case "redirect":
      return compileRedirect(route.action.value, matcher, `${path}.redirect`, faults);
    case "directResponse":
      return compileDirectResponse(route.action.value, `${path}.directResponse`, maxBodyBytes, faults);
    default:
      faults.push({ path, message: `a route action of kind ${route.action.case ?? "(empty)"} is not supported` });
      return null;
  }
}

function compileDirectResponse(
  config: DirectResponseConfig,
  path: string,
  maxBodyBytes: number,
  faults: ConfigFault[],
): DirectResponseAction {
  const text = inlineText(config.body, `${path}.body`, faults);
  const body = Buffer.from(text, "utf8").toString("latin1");
  if (body.length > maxBodyBytes)
    faults.push({ path: `${path}.body`, message: `is longer than ${maxBodyBytes} bytes` });
  if (config.status < 200 || config.status > 599) {
    faults.push({ path: `${path}.status`, message: "must be between 200 and 599" });
  }
  return { kind: "direct-response", status: config.status, body };
}

function compileForward(
  action: RouteAction,
  route: Route,
  host: VirtualHost,
  matcher: PathMatcher,
  path: string,
  faults: ConfigFault[],
): ForwardAction {
  refuseUnsupported(action, path, faults);
  const retry = action.retryPolicy ?? host.retryPolicy;
  const retryPath = `${action.retryPolicy === undefined ? hostPath(path) : path}.retryPolicy`;
  const duration = action.maxStreamDuration;
  const mirrors = action.requestMirrorPolicies.length > 0 ? action.requestMirrorPolicies : host.requestMirrorPolicies;
  return {
    kind: "forward",
    clusterNotFoundStatus: notFoundStatus(action.clusterNotFoundResponseCode),
    rewritePath: compilePathRewrite(action.prefixRewrite, action.regexRewrite, matcher, path, faults),
    rewriteHost: compileHostRewrite(action, path, faults),
    autoHostRewrite: action.hostRewriteSpecifier.case === "autoHostRewrite" && action.hostRewriteSpecifier.value.value,
    appendXForwardedHost: action.appendXForwardedHost,
    timeout: milliseconds(action.timeout) ?? 15_000,
    idleTimeout: milliseconds(action.idleTimeout),
    maxGrpcTimeout: milliseconds(action.maxGrpcTimeout),
    grpcTimeoutOffset: milliseconds(action.grpcTimeoutOffset) ?? 0,
    hasStreamDuration: duration !== undefined,
    maxStreamDuration: milliseconds(duration?.maxStreamDuration),
    grpcTimeoutHeaderMax: milliseconds(duration?.grpcTimeoutHeaderMax),
    grpcTimeoutHeaderOffset: milliseconds(duration?.grpcTimeoutHeaderOffset) ?? 0,
    highPriority: action.priority === RoutingPriority.HIGH,
    retry: retry === undefined ? null : compileRetryPolicy(retry, retryPath, faults),
    hash: compileHashPolicies(action.hashPolicy, `${path}.hashPolicy`, faults),
    mirrors: compileMirrors(mirrors, `${path}.requestMirrorPolicies`, faults),
    upgrades: compileUpgrades(action, path, faults),
    bufferLimit: route.perRequestBufferLimitBytes ?? host.perRequestBufferLimitBytes ?? null,
    includeAttemptCount: host.includeRequestAttemptCount,
    includeAttemptCountInResponse: host.includeAttemptCountInResponse,
  };
}

/** The virtual host's part of the path of a route in it. */
function hostPath(path: string): string {
  return path.slice(0, path.lastIndexOf(".routes["));
}

function notFoundStatus(code: NotFoundCode): number {
  return code === NotFoundCode.NOT_FOUND ? 404 : code === NotFoundCode.INTERNAL_SERVER_ERROR ? 500 : 503;
}

function compileUpgrades(
  action: RouteAction,
  path: string,
  faults: ConfigFault[],
): ReadonlyMap<string, boolean> | null {
  if (action.upgradeConfigs.length === 0) return null;
  const upgrades = new Map<string, boolean>();
  for (const [i, config] of action.upgradeConfigs.entries()) {
    if (config.connectConfig !== undefined) {
      faults.push({ path: `${path}.upgradeConfigs[${i}].connectConfig`, message: "is not supported" });
    }
    upgrades.set(config.upgradeType.toLowerCase(), config.enabled ?? true);
  }
  return upgrades;
}

/** Fields that change what happens to a request and that this proxy does not carry out. */
function refuseUnsupported(action: RouteAction, path: string, faults: ConfigFault[]): void {
  const refuse = (field: string, present: boolean) => {
    if (present) faults.push({ path: `${path}.${field}`, message: "is not supported" });
  };
  refuse("metadataMatch", action.metadataMatch !== undefined);
  refuse("pathRewritePolicy", action.pathRewritePolicy !== undefined);
  refuse("retryPolicyTypedConfig", action.retryPolicyTypedConfig !== undefined);
  refuse("cors", action.cors !== undefined);
  refuse("internalRedirectPolicy", action.internalRedirectPolicy !== undefined);
  refuse("hedgePolicy.hedgeOnPerTryTimeout", action.hedgePolicy?.hedgeOnPerTryTimeout === true);
}
