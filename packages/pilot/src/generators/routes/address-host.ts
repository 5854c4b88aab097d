import { clone, create } from "@bufbuild/protobuf";
import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { OutboundPlan } from "../listeners/outbound-plan.ts";
import type { RouteOrigins } from "./route-origins.ts";

/**
 * A program that knows no more than the address of its egress listener sends that address as Host. Where
 * the listener stands for one service, such requests go where the service's do, and the destination sees
 * the service's host as authority [decision 7]. Undefined for listeners of several services.
 */
export function addressHost(
  plan: OutboundPlan,
  hosts: readonly VirtualHost[],
  origins: RouteOrigins,
): VirtualHost | undefined {
  const [service, ...others] = plan.services;
  if (service === undefined || others.length > 0 || plan.egress.bind === "" || plan.egress.port === undefined) {
    return undefined;
  }
  const own = hosts.find((host) => host.domains.includes(service.hostname));
  if (own === undefined) return undefined;
  return create(VirtualHostSchema, {
    name: `${plan.bind}:${plan.port}`,
    domains: [plan.bind.includes(":") ? `[${plan.bind}]` : plan.bind],
    routes: own.routes.map((route) => origins.copied(route, withAuthority(route, service.hostname))),
    includeRequestAttemptCount: own.includeRequestAttemptCount,
  });
}

/** A VirtualService that rewrites the authority itself has its way. */
function withAuthority(route: Route, hostname: string): Route {
  const copy = clone(RouteSchema, route);
  if (copy.action.case === "route" && copy.action.value.hostRewriteSpecifier.case === undefined) {
    copy.action.value.hostRewriteSpecifier = { case: "hostRewriteLiteral", value: hostname };
  }
  return copy;
}
