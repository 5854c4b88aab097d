import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { NodeSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import { describe, expect, test } from "vitest";
import { parseProxyNode } from "./parse-proxy-node.ts";

const ID = "sidecar~10.0.0.5~web-abc.ns~ns.svc.cluster.local";
const parse = (init: MessageInitShape<typeof NodeSchema>) => parseProxyNode(create(NodeSchema, { id: ID, ...init }));

test("a node in full", () => {
  const node = parse({
    cluster: "web.ns",
    userAgentName: "mixerless",
    locality: { region: "r", zone: "z" },
    metadata: {
      NAMESPACE: "ns",
      INSTANCE_IPS: "10.0.0.5,fe80::1",
      LABELS: { app: "web", version: "v1" },
      STATIC_LABELS: { version: "v2" },
      INTERCEPTION_MODE: "NONE",
      ISTIO_VERSION: "1.30.3",
      SERVICE_ACCOUNT: "sa",
      CLUSTER_ID: "c1",
    },
  });
  expect(node).toMatchObject({
    type: "sidecar",
    name: "web-abc",
    podKey: "web-abc.ns",
    namespace: "ns",
    dnsDomain: "ns.svc.cluster.local",
    ipAddresses: ["10.0.0.5", "fe80::1"],
    labels: { app: "web", version: "v2" },
    staticLabels: { version: "v2" },
    interceptionMode: "NONE",
    istioVersion: "1.30.3",
    serviceAccount: "sa",
    clusterId: "c1",
    locality: { region: "r", zone: "z", subzone: "" },
    userAgentName: "mixerless",
  });
});

describe("derived facts", () => {
  test("the namespace comes from the domain when the metadata has none", () => {
    expect(parse({})).toMatchObject({
      namespace: "ns",
      name: "web-abc",
      clusterId: "Kubernetes",
      interceptionMode: "REDIRECT",
    });
    expect(parse({ id: "sidecar~10.0.0.5~a.b~example.com" })).toMatchObject({ namespace: "", name: "a" });
  });

  test("names with dots keep them", () => {
    expect(parse({ id: "sidecar~10.0.0.5~web.v1.ns~ns.svc.cluster.local" })).toMatchObject({ name: "web.v1" });
  });

  test("locality labels win over the node", () => {
    const at = (LABELS: Record<string, string>) => parse({ locality: { region: "n" }, metadata: { LABELS } });
    expect(at({ "istio-locality": "r.z.s" })).toMatchObject({ locality: { region: "r", zone: "z", subzone: "s" } });
    expect(at({ "topology.istio.io/locality": "r/z" })).toMatchObject({
      locality: { region: "r", zone: "z", subzone: "" },
    });
    expect(at({ "topology.kubernetes.io/region": "r", "topology.istio.io/subzone": "s" })).toMatchObject({
      locality: { region: "r", zone: "", subzone: "s" },
    });
  });

  test("an unknown interception mode is REDIRECT", () => {
    expect(parse({ metadata: { INTERCEPTION_MODE: "x" } })).toMatchObject({ interceptionMode: "REDIRECT" });
  });
});

test.each([
  ["", "parts"],
  ["sidecar~10.0.0.5~web.ns", "parts"],
  ["sidecar~10.0.0.5~web.ns~a~b", "parts"],
  ["envoy~10.0.0.5~web.ns~ns.svc.cluster.local", "unknown type"],
  ["sidecar~nowhere~web.ns~ns.svc.cluster.local", "IP address"],
  ["sidecar~~web.ns~ns.svc.cluster.local", "IP address"],
])("node id %j is refused", (id, reason) => expect(parse({ id })).toContain(reason));

test("every address of the metadata must parse", () => {
  expect(parse({ metadata: { INSTANCE_IPS: "10.0.0.5,x" } })).toContain("IP address");
});
