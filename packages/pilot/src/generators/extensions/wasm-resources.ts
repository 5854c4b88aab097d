import { create } from "@bufbuild/protobuf";
import { type Any, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { type TypedExtensionConfig, TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/http/wasm/v3/wasm";
import { WasmSchema as NetworkWasmSchema } from "@mixerless/wire/envoy/extensions/filters/network/wasm/v3/wasm";
import { FailurePolicy } from "@mixerless/wire/envoy/extensions/wasm/v3/wasm";
import type { ConfigObject } from "../../config/config-object.ts";
import { ROLLBACK_ANNOTATION, ROLLBACK_SWITCH } from "../../config/rollback-after.ts";
import { from, type Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { duration, typed } from "../proto.ts";

type WasmPlugin = ConfigObject<"WasmPlugin">;

const RUNTIME = "envoy.wasm.runtime.v8";
/** Tells an agent how to get the image; it takes them out before a module sees its environment [control-plane §3.2]. */
const AGENT = "ISTIO_META_WASM_";
const ROLLBACK = "MIXERLESS_WASM_ROLLBACK_AFTER";
const FETCH_TIMEOUT = 30_000;
/** Every data plane refuses an empty checksum; to Istio's agents this one says that there is none. */
const NO_CHECKSUM = "nil";

const POLICIES = {
  FAIL_CLOSE: FailurePolicy.FAIL_CLOSED,
  FAIL_OPEN: FailurePolicy.FAIL_OPEN,
  FAIL_RELOAD: FailurePolicy.FAIL_RELOAD,
} as const;

/** The name of a WasmPlugin's filter and of the resource that configures it. */
export function wasmResourceName({ namespace, name }: WasmPlugin): string {
  return `extensions.istio.io/wasmplugin/${namespace}.${name}`;
}

/** The configurations of the filters that a proxy names, of the WasmPlugins that apply to it. */
export function wasmResources(input: GeneratorInput, names: Iterable<string>): Generated<TypedExtensionConfig>[] {
  const wanted = new Set(names);
  if (wanted.size === 0) return [];
  return input.push
    .attached("WasmPlugin", input.proxy)
    .filter((plugin) => wanted.has(wasmResourceName(plugin)))
    .map((plugin) => {
      const name = wasmResourceName(plugin);
      const message = create(TypedExtensionConfigSchema, { name, typedConfig: filterConfig(plugin, input) });
      return { name, message, provenance: from(plugin) };
    });
}

function filterConfig(plugin: WasmPlugin, input: GeneratorInput): Any {
  const { spec, namespace, name } = plugin;
  const config = {
    name: `${namespace}.${name}`,
    rootId: spec.pluginName,
    failurePolicy: POLICIES[spec.failStrategy],
    ...(spec.pluginConfig === undefined
      ? {}
      : { configuration: typed(StringValueSchema, { value: JSON.stringify(spec.pluginConfig) }) }),
    vm: { case: "vmConfig" as const, value: { runtime: RUNTIME, ...code(plugin), ...environment(plugin, input) } },
  };
  return spec.type === "NETWORK" ? typed(NetworkWasmSchema, { config }) : typed(WasmSchema, { config });
}

function code({ spec: { url, sha256 } }: WasmPlugin) {
  if (url.startsWith("file://")) {
    const filename = url.slice("file://".length);
    return {
      code: {
        specifier: { case: "local" as const, value: { specifier: { case: "filename" as const, value: filename } } },
      },
    };
  }
  const uri = url.includes("://") ? url : `oci://${url}`;
  // No such cluster exists: the agent fetches.
  const upstream = { case: "cluster" as const, value: "_" };
  const httpUri = { uri, timeout: duration(FETCH_TIMEOUT), httpUpstreamType: upstream };
  return { code: { specifier: { case: "remote" as const, value: { httpUri, sha256: sha256 || NO_CHECKSUM } } } };
}

function environment({ spec, namespace, metadata, raw }: WasmPlugin, input: GeneratorInput) {
  const keyValues: Record<string, string> = {};
  const hostEnvKeys: string[] = [];
  for (const { name, value, valueFrom } of spec.env) {
    if (valueFrom === "HOST") hostEnvKeys.push(name);
    else keyValues[name] = value;
  }
  if (spec.imagePullSecret !== "")
    keyValues[`${AGENT}IMAGE_PULL_SECRET`] = login(input, namespace, spec.imagePullSecret);
  if (spec.imagePullPolicy !== "UNSPECIFIED_POLICY") keyValues[`${AGENT}IMAGE_PULL_POLICY`] = spec.imagePullPolicy;
  keyValues[`${AGENT}PLUGIN_RESOURCE_VERSION`] = versionOf(raw);
  const rollback =
    metadata.annotations[ROLLBACK_ANNOTATION] ?? input.push.mesh.defaultConfig.proxyMetadata[ROLLBACK_SWITCH];
  // Only our own proxy takes it out before the module sees its environment.
  if (rollback !== undefined && input.proxy.userAgentName === "mixerless") keyValues[ROLLBACK] = rollback;
  return { environmentVariables: { keyValues, hostEnvKeys } };
}

/** Empty where there is none, and for a proxy that has not proven who it is. */
function login({ push, authenticated }: GeneratorInput, namespace: string, name: string): string {
  if (authenticated !== true) return "";
  const secret = push.configs("Secret").find((one) => one.namespace === namespace && one.name === name);
  return secret?.spec.revealRegistryLogin() ?? "";
}

function versionOf(raw: WasmPlugin["raw"]): string {
  const { resourceVersion } = (raw.metadata ?? {}) as { resourceVersion?: unknown };
  return typeof resourceVersion === "string" ? resourceVersion : "";
}
