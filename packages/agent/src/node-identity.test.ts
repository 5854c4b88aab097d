import { describe, expect, it } from "vitest";
import { nodeId, nodeMetadata, serviceCluster, type WorkloadIdentity } from "./node-identity.ts";

const REVIEWS: WorkloadIdentity = {
  type: "sidecar",
  name: "reviews-v2",
  namespace: "default",
  workload: "reviews-v2",
  instanceIps: ["127.0.10.4", "127.0.10.40"],
  labels: { app: "reviews", version: "v2" },
  annotations: {},
  serviceAccount: "bookinfo-reviews",
  clusterId: "Kubernetes",
  meshId: "cluster.local",
  istioVersion: "1.30.3",
  domain: "cluster.local",
  interceptionMode: "NONE",
  owner: null,
  locality: { region: "", zone: "", subZone: "" },
};

describe("node identity", () => {
  it("names the node by type, address, name and domain", () => {
    expect(nodeId(REVIEWS)).toBe("sidecar~127.0.10.4~reviews-v2.default~default.svc.cluster.local");
    expect(serviceCluster(REVIEWS)).toBe("reviews.default");
    expect(serviceCluster({ ...REVIEWS, labels: {} })).toBe("reviews-v2.default");
  });

  it("carries the keys that telemetry reads, with the canonical names filled in", () => {
    expect(nodeMetadata(REVIEWS, {})).toMatchObject({
      NAME: "reviews-v2",
      NAMESPACE: "default",
      WORKLOAD_NAME: "reviews-v2",
      OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/reviews-v2",
      CLUSTER_ID: "Kubernetes",
      INSTANCE_IPS: "127.0.10.4,127.0.10.40",
      LABELS: {
        app: "reviews",
        version: "v2",
        "service.istio.io/canonical-name": "reviews",
        "service.istio.io/canonical-revision": "v2",
      },
    });
  });

  it("prefers explicit canonical labels, then the recommended ones, then app and version, then the workload", () => {
    const labelsOf = (labels: Record<string, string>) => nodeMetadata({ ...REVIEWS, labels }, {}).LABELS;
    expect(labelsOf({ "service.istio.io/canonical-name": "a", "app.kubernetes.io/name": "b", app: "c" })).toMatchObject(
      {
        "service.istio.io/canonical-name": "a",
      },
    );
    expect(
      labelsOf({ "app.kubernetes.io/name": "b", app: "c", "app.kubernetes.io/version": "2", version: "3" }),
    ).toMatchObject({
      "service.istio.io/canonical-name": "b",
      "service.istio.io/canonical-revision": "2",
    });
    expect(labelsOf({})).toEqual({
      "service.istio.io/canonical-name": "reviews-v2",
      "service.istio.io/canonical-revision": "latest",
    });
  });

  it("lets the environment add and override, as an injected pod does", () => {
    const metadata = nodeMetadata(REVIEWS, {
      ISTIO_META_CLUSTER_ID: "east",
      ISTIO_METAJSON_LABELS: '{"team":"books","pod-template-hash":"abc"}',
      ISTIO_METAJSON_MORE: '{"HTTP10":"1"}',
      OTHER: "ignored",
    });
    expect(metadata).toMatchObject({ CLUSTER_ID: "east", HTTP10: "1" });
    expect(metadata.LABELS).toMatchObject({ app: "reviews", team: "books" });
    expect(metadata.LABELS).not.toHaveProperty("pod-template-hash");
  });

  it("says which variable is wrong and how it should look", () => {
    expect(() => nodeMetadata(REVIEWS, { ISTIO_METAJSON_LABELS: "{" })).toThrow(
      /ISTIO_METAJSON_LABELS is not JSON.*for example/,
    );
    expect(() => nodeMetadata(REVIEWS, { ISTIO_METAJSON_X: "[1]" })).toThrow(/ISTIO_METAJSON_X must be a JSON object/);
  });
});
