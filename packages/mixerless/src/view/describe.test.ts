import { describe, expect, it } from "vitest";
import { ConfigDump } from "./config-dump.ts";
import { describeService, describeWorkload } from "./describe.ts";

const REVIEWS = {
  ...{ hostname: "reviews.default.svc.cluster.local", namespace: "default", registry: "kubernetes" },
  ...{ resolution: "client-side-lb", source: "Service default/reviews (services.yaml:3)" },
  ports: [
    {
      ...{ name: "http", port: 9080, protocol: "HTTP" },
      endpoints: [
        {
          address: "127.0.10.4:9080",
          health: "healthy",
          workload: "reviews-v2;default;reviews;v2;Kubernetes",
          labels: {},
        },
      ],
    },
  ],
};
const object = (kind: string, name: string, spec: object) => ({ kind, metadata: { name, namespace: "default" }, spec });
const RULE = object("DestinationRule", "reviews", {
  host: "reviews",
  subsets: [
    { name: "v1", labels: { version: "v1" } },
    { name: "v2", labels: { version: "v2" } },
  ],
});
const ROUTES = object("VirtualService", "reviews", {
  hosts: ["reviews"],
  http: [
    {
      route: [
        { destination: { host: "reviews", subset: "v1" }, weight: 70 },
        { destination: { host: "reviews", subset: "v2" }, weight: 30 },
      ],
    },
  ],
});
const place = (version: string) => ({
  ...{ key: "reviews-v2.default", name: "reviews-v2", namespace: "default", workload: "reviews-v2", type: "sidecar" },
  ...{ labels: { app: "reviews", version }, connectedAt: "now", admin: "", merged: "" },
});
const NO_DUMP = new ConfigDump({});

describe("x describe", () => {
  const facts = { registry: [REVIEWS], objects: [RULE, ROUTES] };

  it("tells a workload's services, subsets and routes with their weights", () => {
    const text = describeWorkload(facts, place("v2"), NO_DUMP);
    expect(text).toContain("Service: reviews.default\n   From: Service default/reviews (services.yaml:3)\n");
    expect(text).toContain("   Port: http 9080/HTTP targets 127.0.10.4:9080\n");
    expect(text).toContain("   Matching subsets: v2\n      (Non-matching subsets v1)\n   No Traffic Policy\n");
    expect(text).toContain('      Route to host "reviews" subset "v2" with weight 30%\n');
  });

  it("warns of a workload that no subset matches, and of one that no Service selects", () => {
    expect(describeWorkload(facts, place("v9"), NO_DUMP)).toContain(
      "WARNING POD DOES NOT MATCH ANY SUBSETS. (Non matching subsets v1,v2)",
    );
    expect(describeWorkload({ registry: [], objects: [] }, place("v2"), NO_DUMP)).toContain(
      "no Service selects this workload",
    );
  });

  it("warns of a proxy that still uses what is gone", () => {
    const config = "/apis/networking.istio.io/v1/namespaces/default/destination-rule/old";
    const cluster = { name: "c", metadata: { filter_metadata: { istio: { config } } } };
    const dump = new ConfigDump({
      configs: [{ "@type": "x.ClustersConfigDump", dynamic_active_clusters: [{ cluster }] }],
    });
    expect(describeWorkload(facts, place("v2"), dump)).toContain("WARNING: Proxy is stale; it still uses old.default");
  });

  it("tells a service by its short or full name, and nothing of an unknown one", () => {
    expect(describeService(facts, "reviews", undefined)).toContain("   Subsets: v1,v2\n");
    expect(describeService(facts, "reviews.default.svc.cluster.local", undefined)).toContain(
      "Service: reviews.default",
    );
    expect(describeService(facts, "reviews", "other")).toBeNull();
  });
});
