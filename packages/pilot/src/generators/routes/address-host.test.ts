import { create } from "@bufbuild/protobuf";
import { RouteSchema, VirtualHostSchema } from "@mixerless/wire/envoy/config/route/v3/route_components";
import { describe, expect, it } from "vitest";
import type { OutboundPlan } from "../listeners/outbound-plan.ts";
import { addressHost } from "./address-host.ts";
import { RouteOrigins } from "./route-origins.ts";

const HOST = "stock.default.svc.cluster.local";
const service = (hostname: string) => ({ hostname }) as OutboundPlan["services"][number];
const plan = (bind: string, ...hostnames: string[]) =>
  ({
    ...{ name: `${bind}_8080`, bind, port: 8080, kind: "http", services: hostnames.map(service) },
    egress: { bind, port: { number: 8080 } },
  }) as unknown as OutboundPlan;
const route = (rewrite?: string) =>
  create(RouteSchema, {
    action: {
      case: "route",
      value: rewrite === undefined ? {} : { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: rewrite } },
    },
  });
const host = create(VirtualHostSchema, {
  name: `${HOST}:8080`,
  domains: [HOST, "stock"],
  routes: [route(), route("other")],
});

describe("the virtual host of an egress listener's own address", () => {
  it("goes where the one service goes, which sees its own name as authority unless a rule says otherwise", () => {
    const own = addressHost(plan("127.11.1.1", HOST), [host], new RouteOrigins());
    expect(own?.domains).toEqual(["127.11.1.1"]);
    const rewrites = own?.routes.map(
      ({ action }) => action.case === "route" && action.value.hostRewriteSpecifier.value,
    );
    expect(rewrites).toEqual([HOST, "other"]);
  });

  it("leaves the service's own routes as they are", () => {
    addressHost(plan("127.11.1.1", HOST), [host], new RouteOrigins());
    const [first] = host.routes;
    expect(first?.action.case === "route" && first.action.value.hostRewriteSpecifier.case).toBeUndefined();
  });

  it("brackets an IPv6 address", () => {
    expect(addressHost(plan("::1", HOST), [host], new RouteOrigins())?.domains).toEqual(["[::1]"]);
  });

  it("is not there for listeners of several services, or without an address", () => {
    expect(addressHost(plan("127.0.0.1", HOST, "b"), [host], new RouteOrigins())).toBeUndefined();
    expect(addressHost(plan("", HOST), [host], new RouteOrigins())).toBeUndefined();
  });
});
