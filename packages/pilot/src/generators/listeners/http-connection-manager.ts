import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Filter, FilterSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import { CorsSchema } from "@mixerless/wire/envoy/extensions/filters/http/cors/v3/cors";
import { HTTPFaultSchema } from "@mixerless/wire/envoy/extensions/filters/http/fault/v3/fault";
import { RouterSchema } from "@mixerless/wire/envoy/extensions/filters/http/router/v3/router";
import {
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManagerSchema,
  type HttpConnectionManagerSchema as Schema,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { dynamicHttpFilter } from "../dynamic-dns.ts";
import { httpPluginFilters, type PluginPhase, type TrafficPlace } from "../extensions/plugin-filters.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { duration, typed } from "../proto.ts";
import { httpAuthorization } from "../security/authorization-filters.ts";
import { tokenFilters } from "../security/request-authentication.ts";
import { hasOwnFilters, metadataExchangeFilter, type NamedFilter, statsFilters } from "../telemetry-filters.ts";
import type { ListenerClass } from "../telemetry-of.ts";
import { accessLogs } from "./access-logs.ts";
import { localReplies } from "./local-replies.ts";

type HttpFilters = NonNullable<MessageInitShape<typeof Schema>["httpFilters"]>;

export interface ConnectionManagerOptions extends TrafficPlace {
  readonly statPrefix: string;
  /** Some route leads to where the request's own name is looked up. */
  readonly dynamicDns?: boolean;
  readonly routes: { readonly inline: RouteConfiguration } | { readonly rds: string };
}

/** The HTTP connection manager of a chain, as its only network filter [control-plane §4.6]. */
export function httpConnectionManager(input: GeneratorInput, options: ConnectionManagerOptions): Filter {
  const { listenerClass, statPrefix, routes } = options;
  const config = typed(HttpConnectionManagerSchema, {
    statPrefix,
    routeSpecifier: routeSpecifier(routes),
    httpFilters: httpFilters(input, options),
    accessLog: accessLogs(input, listenerClass),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    streamIdleTimeout: duration(0),
    proxy100Continue: true,
    ...normalization(input),
    ...classSettings(listenerClass),
    ...localReplies(input, listenerClass),
  });
  return create(FilterSchema, {
    name: "envoy.filters.network.http_connection_manager",
    configType: { case: "typedConfig", value: config },
  });
}

function routeSpecifier(
  routes: ConnectionManagerOptions["routes"],
): NonNullable<MessageInitShape<typeof Schema>["routeSpecifier"]> {
  if ("inline" in routes) return { case: "routeConfig", value: routes.inline };
  return {
    case: "rds",
    value: {
      routeConfigName: routes.rds,
      configSource: {
        configSourceSpecifier: { case: "ads", value: {} },
        initialFetchTimeout: duration(0),
        resourceApiVersion: 2,
      },
    },
  };
}

/** Top to bottom in the order of a request. */
function httpFilters(input: GeneratorInput, options: ConnectionManagerOptions): HttpFilters {
  const { listenerClass, dynamicDns = false } = options;
  const plugins = httpPluginFilters(input, options);
  const plugged = (phase: PluginPhase): HttpFilters => plugins.get(phase) ?? [];
  return [
    // First, so that everything after it knows the peer and no peer header gets further.
    ...inline(hasOwnFilters(input) ? [metadataExchangeFilter(input, listenerClass)] : []),
    ...plugged("AUTHN"),
    // Whose tokens a request carries must be known before policies ask for it.
    ...inline(tokenFilters(input, listenerClass)),
    ...plugged("AUTHZ"),
    // Before anything that answers or changes a request; the exchange of metadata has to come before it, so that a
    // refusal is told and counted with its peer.
    ...inline(httpAuthorization(input, listenerClass)),
    // Plugins that take part in telemetry, then those that say nothing, see only what was let in.
    ...plugged("STATS"),
    ...plugged("UNSPECIFIED_PHASE"),
    ...inline([
      { name: "envoy.filters.http.fault", config: typed(HTTPFaultSchema, {}) },
      { name: "envoy.filters.http.cors", config: typed(CorsSchema, {}) },
      // Behind fault and cors, whose answers count as well.
      ...statsFilters(input, listenerClass, "http"),
      ...(dynamicDns ? [dynamicHttpFilter(input)] : []),
      { name: "envoy.filters.http.router", config: typed(RouterSchema, {}) },
    ]),
  ];
}

function inline(filters: readonly NamedFilter[]): HttpFilters {
  return filters.map(({ name, config }) => ({ name, configType: { case: "typedConfig", value: config } }));
}

function normalization({
  push,
}: GeneratorInput): Pick<
  MessageInitShape<typeof Schema>,
  "normalizePath" | "mergeSlashes" | "pathWithEscapedSlashesAction"
> {
  switch (push.mesh.pathNormalization) {
    case "NONE":
      return { normalizePath: false };
    case "MERGE_SLASHES":
      return { normalizePath: true, mergeSlashes: true };
    case "DECODE_AND_MERGE_SLASHES":
      return { normalizePath: true, mergeSlashes: true, pathWithEscapedSlashesAction: 4 };
    default:
      return { normalizePath: true };
  }
}

function classSettings(listenerClass: ListenerClass): MessageInitShape<typeof Schema> {
  const { APPEND_FORWARD, SANITIZE_SET } = HttpConnectionManager_ForwardClientCertDetails;
  switch (listenerClass) {
    case "inbound":
      return {
        serverName: "istio-envoy",
        useRemoteAddress: false,
        forwardClientCertDetails: APPEND_FORWARD,
        setCurrentClientCertDetails: { subject: true, uri: true, dns: true },
      };
    case "gateway":
      return {
        serverName: "istio-envoy",
        useRemoteAddress: true,
        forwardClientCertDetails: SANITIZE_SET,
        setCurrentClientCertDetails: { subject: true, cert: true, uri: true, dns: true },
      };
    case "outbound":
      return { useRemoteAddress: false };
  }
}
