import type { MessageShape } from "@bufbuild/protobuf";
import { toJson, validateMessage } from "@mixerless/wire";
import { TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { TypeUrl } from "@mixerless/xds";
import { describe, expect, it } from "vitest";
import { object, proxy, pushOf } from "../../model/testing/push-of.ts";
import { generate } from "../../push/generate-resources.ts";

const NAME = "extensions.istio.io/wasmplugin/default.p";
const LOGIN = '{"auths":{"r":{"auth":"eDp5"}}}';
const SECRET = {
  ...{ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/dockerconfigjson" },
  metadata: { name: "login", namespace: "default" },
  stringData: { ".dockerconfigjson": LOGIN },
};

function messages(spec: object, names = [NAME], of = proxy("default/a-1"), authenticated = true) {
  const push = pushOf([
    SECRET,
    object("WasmPlugin", "p", { url: "r.example/p:v1", ...spec }, { metadata: { resourceVersion: "7" } }),
  ]);
  const input = { proxy: of, push, telemetry: "none" as const, authenticated };
  return (generate(input, TypeUrl.extensionConfig, new Set(names)) ?? []).map(
    ({ message }) => message as MessageShape<typeof TypedExtensionConfigSchema>,
  );
}

function resources(...of: Parameters<typeof messages>) {
  return messages(...of).map(
    (message) => toJson(TypedExtensionConfigSchema, message) as { name: string; typedConfig: { config: never } },
  );
}

const configOf = (spec: object, authenticated = true) =>
  resources(spec, [NAME], proxy("default/a-1"), authenticated)[0]?.typedConfig.config as unknown as {
    vmConfig: { code: object; environmentVariables: { keyValues: object } };
  };

describe("the configuration of a WasmPlugin's filter (ECDS)", () => {
  it("has the plugin's name, root, JSON and policy, and a remote module for the agent to fetch", () => {
    expect(configOf({ pluginName: "root", pluginConfig: { a: 1 }, failStrategy: "FAIL_OPEN" })).toEqual({
      name: "default.p",
      rootId: "root",
      failurePolicy: "FAIL_OPEN",
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: '{"a":1}' },
      vmConfig: {
        runtime: "envoy.wasm.runtime.v8",
        code: { remote: { httpUri: { uri: "oci://r.example/p:v1", cluster: "_", timeout: "30s" }, sha256: "nil" } },
        environmentVariables: { keyValues: { ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: "7" } },
      },
    });
  });

  it.each([{}, { sha256: "a".repeat(64) }, { url: "file:///p.wasm" }, { type: "NETWORK" }])(
    "keeps to Envoy's rules: %j",
    (spec) => {
      const [made] = messages({ url: "r.example/p:v1", ...spec });
      expect(made && validateMessage(TypedExtensionConfigSchema, made)).toEqual([]);
    },
  );

  it("of a file is local", () => {
    expect(configOf({ url: "file:///p.wasm" }).vmConfig.code).toEqual({ local: { filename: "/p.wasm" } });
  });

  it("carries the pull policy, and the pull secret to a proxy that has proven its namespace", () => {
    const spec = { imagePullPolicy: "Always", imagePullSecret: "login" };
    const values = (authenticated: boolean) => configOf(spec, authenticated).vmConfig.environmentVariables.keyValues;
    expect(values(true)).toMatchObject({
      ISTIO_META_WASM_IMAGE_PULL_POLICY: "Always",
      ISTIO_META_WASM_IMAGE_PULL_SECRET: LOGIN,
    });
    expect(values(false)).toMatchObject({ ISTIO_META_WASM_IMAGE_PULL_SECRET: "" });
  });

  it("goes to proxies that name it and that the plugin applies to", () => {
    expect(resources({}, ["extensions.istio.io/wasmplugin/default.other"])).toEqual([]);
    expect(resources({}, [NAME], proxy("elsewhere/a-1"))).toEqual([]);
    expect(resources({ selector: { matchLabels: { app: "b" } } })).toEqual([]);
  });

  it("says to our own proxy after how many failures the version before returns: by the plugin, else by the mesh", () => {
    const rollback = (annotations: object, mesh: Record<string, string>, userAgentName = "mixerless") => {
      const push = pushOf([
        object("MeshConfig", "m", { defaultConfig: { proxyMetadata: mesh } }),
        object("WasmPlugin", "p", { url: "r.example/p:v1" }, { metadata: { annotations } }),
      ]);
      const of = { ...proxy("default/a-1"), userAgentName };
      const input = { proxy: of, push, telemetry: "none" as const };
      const [resource] = generate(input, TypeUrl.extensionConfig, new Set([NAME])) ?? [];
      const text = JSON.stringify(toJson(TypedExtensionConfigSchema, resource?.message as never));
      return /"MIXERLESS_WASM_ROLLBACK_AFTER":"(\d+)"/.exec(text)?.[1];
    };
    const [own, mesh] = [{ "mixerless.io/rollback-after": "5" }, { MIXERLESS_ROLLBACK_AFTER: "0" }];
    expect([rollback({}, {}), rollback({}, mesh), rollback(own, mesh)]).toEqual([undefined, "0", "5"]);
    expect(rollback(own, mesh, "envoy")).toBeUndefined();
  });
});
