import { describe, expect, test } from "vitest";
import { readConfig } from "../read-config.ts";
import type { MeshConfigSpec } from "./mesh-config.ts";
import { defaultMeshConfig } from "./mesh-config-schema.ts";

function mesh(lines: string): MeshConfigSpec | string[] {
  const reading = readConfig({ file: "x", text: `kind: MeshConfig\nspec: ${lines}\n` });
  const [object] = reading.objects;
  if (object?.kind !== "MeshConfig") return reading.faults.map(({ code, path }) => `${code} ${path}`);
  return object.spec as MeshConfigSpec;
}

test("the defaults are those of an installation", () => {
  expect(defaultMeshConfig()).toMatchObject({
    proxyListenPort: 15001,
    proxyInboundListenPort: 15006,
    connectTimeout: 10_000,
    trustDomain: "cluster.local",
    rootNamespace: "istio-system",
    enableAutoMtls: true,
    outboundTrafficPolicy: { mode: "ALLOW_ANY" },
    defaultServiceExportTo: ["*"],
    defaultProviders: { metrics: ["prometheus"], tracing: [], accessLogging: [] },
    defaultConfig: { drainDuration: 45_000, discoveryAddress: "istiod.istio-system.svc:15012", statusPort: 15020 },
  });
  expect(defaultMeshConfig().extensionProviders.map(({ name }) => name)).toEqual([
    "prometheus",
    "stackdriver",
    "envoy",
  ]);
});

test("metrics can be switched off", () => {
  expect(mesh("{defaultProviders: {metrics: []}}")).toMatchObject({ defaultProviders: { metrics: [] } });
});

test("providers merge by name; bad ones are left out", () => {
  const result = mesh(
    "{extensionProviders: [{name: envoy, envoyFileAccessLog: {path: /x}}, {name: z, zipkin: {service: z, port: 0}}]}",
  );
  expect(result).toMatchObject({
    extensionProviders: [{ name: "prometheus" }, { name: "stackdriver" }, { name: "envoy", settings: { path: "/x" } }],
  });
});

describe("values are checked", () => {
  test.each([
    ["{connectTimeout: 2h}", "bad-duration spec.connectTimeout"],
    ["{connectTimeout: 0s}", "bad-duration spec.connectTimeout"],
    ["{proxyListenPort: 0}", "out-of-range spec.proxyListenPort"],
    ["{defaultConfig: {drainDuration: 1500ms}}", "bad-duration spec.defaultConfig.drainDuration"],
    ["{defaultConfig: {discoveryAddress: istiod}}", "bad-address spec.defaultConfig.discoveryAddress"],
    [
      "{defaultConfig: {proxyMetadata: {MIXERLESS_ROLLBACK_AFTER: never}}}",
      "bad-rollback-after spec.defaultConfig.proxyMetadata.MIXERLESS_ROLLBACK_AFTER",
    ],
    ["{outboundTrafficPolicy: {mode: NO}}", "unknown-value spec.outboundTrafficPolicy.mode"],
    ["{meshMTLS: {ecdhCurves: [P-256]}}", "unsupported spec.meshMTLS.ecdhCurves"],
  ])("%s is refused", (text, fault) => expect(mesh(text)).toEqual([fault]));
});

describe("the ConfigMap of an installation", () => {
  const text = (body: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: istio\n  namespace: istio-system\ndata:\n  mesh: ${body}\n`;

  test("is read, with places in the outer file", () => {
    const reading = readConfig({
      file: "x",
      text: text("|-\n    rootNamespace: root\n    # note\n    connectTimeout: 10\n    other: 1"),
    });
    expect(reading.faults.map(({ code, line, column }) => [code, line, column])).toEqual([
      ["wrong-type", 10, 21],
      ["unknown-field", 11, 12],
    ]);
    expect(reading.refused).toEqual(["MeshConfig//mesh"]);
  });

  test("is the same object as a MeshConfig document", () => {
    const [object] = readConfig({ file: "x", text: text('"rootNamespace: root"') }).objects;
    expect(object).toMatchObject({ kind: "MeshConfig", name: "mesh", spec: { rootNamespace: "root" } });
  });

  test("with broken YAML inside makes the file incomplete", () => {
    const reading = readConfig({ file: "x", text: text("|\n    a: [") });
    expect(reading.incomplete).toBe(true);
    expect(reading.faults[0]?.code).toBe("syntax");
  });

  test("other ConfigMaps mean nothing", () => {
    const reading = readConfig({ file: "x", text: text("a").replace("name: istio\n", "name: other\n") });
    expect(reading).toMatchObject({ objects: [], faults: [], incomplete: false });
  });
});
