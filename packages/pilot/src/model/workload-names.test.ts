import { describe, expect, test } from "vitest";
import { object, pod, proxy, pushOf } from "./testing/push-of.ts";

function workloadOf(...objects: Parameters<typeof pushOf>[0]) {
  const push = pushOf(objects);
  return push.workload(proxy("w-v1"));
}

const owned = (kind: string, name: string, labels = {}) =>
  pod("w-v1", "10.0.0.1", labels, {
    metadata: { generateName: "w-", ownerReferences: [{ apiVersion: "apps/v1", kind, name, controller: true }] },
  });

describe("workload name", () => {
  test.each([
    ["Deployment", "ReplicaSet", "web-5d4f", { "pod-template-hash": "5d4f" }, "web"],
    ["Rollout", "ReplicaSet", "web-5d4f", { "rollouts-pod-template-hash": "5d4f" }, "web"],
    ["ReplicaSet", "ReplicaSet", "web", {}, "web"],
    ["DeploymentConfig", "ReplicationController", "web-3", { deploymentconfig: "web" }, "web"],
    ["CronJob", "Job", "backup-27891234", {}, "backup"],
    ["Job", "Job", "backup-1", {}, "backup-1"],
    ["StatefulSet", "StatefulSet", "db", {}, "db"],
  ])("of a %s", (_, kind, owner, labels, expected) => {
    expect(workloadOf(owned(kind, owner, labels))?.workloadName).toBe(expected);
  });

  test("a label goes first, the Pod's own name last", () => {
    expect(workloadOf(owned("StatefulSet", "db", { "service.istio.io/workload-name": "x" }))?.workloadName).toBe("x");
    expect(workloadOf(pod("w-v1", "10.0.0.1"))?.workloadName).toBe("w-v1");
  });

  test("of a WorkloadEntry: group, label, name", () => {
    const entry = (metadata: object) =>
      workloadOf(object("WorkloadEntry", "w-v1", { address: "10.0.0.1" }, { metadata }));
    expect(entry({ annotations: { "istio.io/autoRegistrationGroup": "g" } })?.workloadName).toBe("g");
    expect(entry({ labels: { "service.istio.io/workload-name": "x" } })?.workloadName).toBe("x");
    expect(entry({})?.workloadName).toBe("w-v1");
  });
});

test("canonical name and revision: first hit wins", () => {
  const of = (labels: object) => workloadOf(object("Pod", "w-v1", { containers: [] }, { metadata: { labels } }));
  expect(of({ "service.istio.io/canonical-name": "a", "app.kubernetes.io/name": "b", app: "c" })?.canonicalName).toBe(
    "a",
  );
  expect(of({ "app.kubernetes.io/name": "b", app: "c" })?.canonicalName).toBe("b");
  expect(of({ app: "c" })?.canonicalName).toBe("c");
  expect(of({})?.canonicalName).toBe("w-v1");
  expect(
    of({ "service.istio.io/canonical-revision": "1", "app.kubernetes.io/version": "2", version: "3" })
      ?.canonicalRevision,
  ).toBe("1");
  expect(of({ "app.kubernetes.io/version": "2", version: "3" })?.canonicalRevision).toBe("2");
  expect(of({ version: "3" })?.canonicalRevision).toBe("3");
  expect(of({})?.canonicalRevision).toBe("latest");
});

describe("the workload of a proxy", () => {
  test("by name and namespace, before the address", () => {
    const push = pushOf([pod("a-v1", "127.0.0.1"), pod("b-v1", "127.0.0.1"), pod("other/b-v1", "127.0.0.1")]);
    expect(push.workload(proxy("b-v1"))).toMatchObject({ name: "b-v1", namespace: "default" });
    expect(push.workload(proxy("other/b-v1"))?.namespace).toBe("other");
  });

  test("by an address that only one has, first in its namespace", () => {
    const push = pushOf([
      pod("a-v1", "10.0.0.1"),
      pod("other/b-v1", "10.0.0.1"),
      pod("c-v1", "10.0.0.3"),
      pod("d-v1", "10.0.0.3"),
    ]);
    expect(push.workload(proxy("x", { ipAddresses: ["10.0.0.1"] }))?.name).toBe("a-v1");
    expect(push.workload(proxy("third/x", { ipAddresses: ["10.0.0.1"] }))).toBeUndefined();
    expect(push.workload(proxy("x", { ipAddresses: ["10.0.0.3"] }))).toBeUndefined();
  });

  test("its labels win over what the node claims", () => {
    const push = pushOf([pod("a-v1", "10.0.0.1")]);
    const claims = { labels: { app: "lie", x: "1", s: "2" }, staticLabels: { s: "2" } };
    expect(push.labelsOf(proxy("a-v1", claims))).toEqual({ app: "a", version: "v1", s: "2" });
    expect(push.labelsOf(proxy("unknown", { ...claims, ipAddresses: [] }))).toEqual({ app: "lie", x: "1", s: "2" });
  });
});
