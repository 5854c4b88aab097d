import { describe, expect, test } from "vitest";
import type { ConfigObject, Kind } from "../config-object.ts";
import { readConfig } from "../read-config.ts";
import { dedent } from "../testing/verdicts.ts";

function one<K extends Kind>(text: string): ConfigObject<K> {
  const reading = readConfig({ file: "x", text: dedent(text) });
  const [object] = reading.objects;
  if (object === undefined) throw new Error(JSON.stringify(reading.faults));
  return object as ConfigObject<K>;
}

const faults = (text: string) =>
  readConfig({ file: "x", text: dedent(text) }).faults.map(({ code, path }) => `${code} ${path}`);

describe("Service", () => {
  const service = (spec: string) => `apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {${spec}}`;

  test("target ports default to the port, headless has no addresses", () => {
    expect(one<"Service">(service("selector: {app: web}, ports: [{port: 80}], clusterIP: 10.0.0.1")).spec).toEqual({
      type: "ClusterIP",
      selector: { app: "web" },
      ports: [{ name: "", port: 80, targetPort: 80, protocol: "TCP", appProtocol: "" }],
      headless: false,
      clusterIPs: ["10.0.0.1"],
      externalName: "",
      publishNotReadyAddresses: false,
    });
    expect(one<"Service">(service("clusterIP: None")).spec).toMatchObject({ headless: true, clusterIPs: [] });
  });

  test("an empty selector selects nothing", () => {
    expect(one<"Service">(service("selector: {}")).spec.selector).toBeUndefined();
  });

  test("typical mistakes are reported", () => {
    expect(faults(service("ports: [{port: 80}, {port: 81}]"))).toEqual(["repeated-name spec.ports[1]"]);
    expect(faults(service("ports: [{port: '80'}]"))).toEqual(["wrong-type spec.ports[0].port"]);
    expect(faults(service("selctor: {a: b}"))).toEqual(["unknown-field spec.selctor"]);
    expect(faults(service("type: ExternalName"))).toEqual(["missing-field spec"]);
    expect(faults(service("selector: {version: 1}"))).toEqual(["wrong-type spec.selector.version"]);
    expect(faults(service("sessionAffinity: None, internalTrafficPolicy: Cluster"))).toEqual([]);
  });
});

describe("Pod", () => {
  const pod = (status: string, more = "") =>
    one<"Pod">(
      `apiVersion: v1\nkind: Pod\nmetadata: {name: p${more}}\nspec:\n  containers:\n  - {name: c, ports: [{name: http, containerPort: 8080}], image: x}\nstatus: {${status}}`,
    ).spec;

  test("ports, addresses and readiness", () => {
    expect(pod("podIP: 127.0.10.1, conditions: [{type: Ready, status: 'False'}]")).toEqual({
      containerPorts: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
      serviceAccountName: "default",
      nodeName: "",
      podIPs: ["127.0.10.1"],
      ready: false,
      terminal: false,
      hasSidecar: false,
    });
    expect(pod("podIP: 127.0.10.1").ready).toBe(true);
    expect(pod("podIP: 127.0.10.1, podIPs: [{ip: 127.0.10.1}, {ip: '::1'}]").podIPs).toEqual(["127.0.10.1", "::1"]);
    expect(pod("phase: Failed").terminal).toBe(true);
    expect(pod("", ", annotations: {sidecar.istio.io/status: '{}'}").hasSidecar).toBe(true);
  });

  test("metadata: owner, creation time and labels", () => {
    const { metadata } = one<"Pod">(`
      apiVersion: v1
      kind: Pod
      metadata:
        name: p
        creationTimestamp: 2026-01-31T12:00:00Z
        ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-abc, controller: true, uid: u}]
      spec: {containers: []}
    `);
    expect(metadata.creationTime).toBe(Date.UTC(2026, 0, 31, 12));
    expect(metadata.ownerReferences).toEqual([
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-abc", controller: true },
    ]);
  });
});

test("EndpointSlice: absent conditions mean ready; addresses fit the type", () => {
  const slice = (addresses: string) => `
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
    addressType: IPv4
    ports: [{name: http, port: 8080}]
    endpoints: [{addresses: [${addresses}], targetRef: {kind: Pod, name: p}}]
  `;
  const { spec } = one<"EndpointSlice">(slice("10.0.0.1"));
  expect(spec.serviceName).toBe("web");
  expect(spec.endpoints[0]).toMatchObject({ ready: true, targetPod: { name: "p", namespace: "default" } });
  expect(faults(slice('"::1"'))).toEqual(["bad-address endpoints[0].addresses[0]"]);
});

test("Deployment and Namespace are information", () => {
  const deployment = one<"Deployment">(`
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: []}}}
  `);
  expect(deployment.spec).toMatchObject({ replicas: 2, selector: { app: "web" }, templateLabels: { app: "web" } });
  expect(one<"Namespace">("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {x: y}}")).toMatchObject({
    namespace: "",
    metadata: { labels: { x: "y" } },
  });
});
