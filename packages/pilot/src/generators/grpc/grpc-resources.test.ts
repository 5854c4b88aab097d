import { describe, expect, it } from "vitest";
import { object, pod, proxy, pushOf, service } from "../../model/testing/push-of.ts";
import { endpointAssignments } from "../endpoints.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { grpcClusters, grpcListeners, grpcRoutes, isGrpcClient } from "./grpc-resources.ts";

const HOST = "cart.default.svc.cluster.local";
const CLUSTER = `outbound|9080||${HOST}`;
const RULE = object("DestinationRule", "cart", { host: "cart", subsets: [{ name: "v2", labels: { version: "v2" } }] });
const ROUTE = object("VirtualService", "cart", {
  hosts: ["cart"],
  http: [{ route: [{ destination: { host: "cart", subset: "v2" } }] }],
});

function input(...objects: ReturnType<typeof object>[]): GeneratorInput {
  const push = pushOf([service("cart"), pod("cart-v1", "10.0.0.1"), pod("cart-v2", "10.0.0.2"), RULE, ...objects]);
  return { push, proxy: proxy("caller", { metadata: { GENERATOR: "grpc" } }), telemetry: "native" };
}

describe("a gRPC client that resolves by xDS", () => {
  it("is one whose node says so", () => {
    expect(isGrpcClient(input())).toBe(true);
    expect(isGrpcClient({ ...input(), proxy: proxy("caller") })).toBe(false);
  });

  it.each([`${HOST}:9080`, "cart:9080", "cart.default:9080"])("gets a listener without an address for %s", (name) => {
    const [listener] = grpcListeners(input(), [name]);
    expect(listener?.name).toBe(name);
    expect(listener?.message.address).toBeUndefined();
    expect(listener?.message.apiListener?.apiListener?.typeUrl).toContain("HttpConnectionManager");
  });

  it.each([`${HOST}:9999`, "nobody:9080", "cart", ""])("gets nothing for %j, which no service has", (name) => {
    expect(grpcListeners(input(), [name])).toEqual([]);
  });

  it("is sent to the service's cluster, or where a VirtualService says", () => {
    const clusterOf = (facts: GeneratorInput) => {
      const [route] = grpcRoutes(facts, [CLUSTER]);
      const action = route?.message.virtualHosts[0]?.routes[0]?.action;
      return action?.case === "route" ? action.value.clusterSpecifier.value : undefined;
    };
    expect(clusterOf(input())).toBe(CLUSTER);
    expect(clusterOf(input(ROUTE))).toBe(`outbound|9080|v2|${HOST}`);
  });

  it("gets only the clusters that it names", () => {
    const names = [CLUSTER, `outbound|9080|v2|${HOST}`];
    expect(grpcClusters(input(), names).map(({ name }) => name)).toEqual(names);
    expect(grpcClusters(input(), [CLUSTER]).map(({ name }) => name)).toEqual([CLUSTER]);
    expect(grpcClusters(input(), ["outbound|9080||nobody", "x"])).toEqual([]);
  });

  it("gets a locality and a weight with every group of endpoints, which it refuses to do without", () => {
    const [assignment] = endpointAssignments(input(), [CLUSTER]);
    const [group] = assignment?.message.endpoints ?? [];
    expect(group?.locality).toBeDefined();
    expect(group?.loadBalancingWeight).toBe(2);
  });
});
