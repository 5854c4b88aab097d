import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { ExtensionConfigSourceSchema } from "@mixerless/wire/envoy/config/core/v3/config_source";
import { RBACSchema } from "@mixerless/wire/envoy/extensions/filters/http/rbac/v3/rbac";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/http/wasm/v3/wasm";
import type { ConfigObject } from "../../config/config-object.ts";
import type { TrafficSelector, WasmPluginSpec } from "../../config/kinds/policies.ts";
import type { Provenance } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { duration, typed } from "../proto.ts";
import type { ListenerClass } from "../telemetry-of.ts";
import { wasmResourceName } from "./wasm-resources.ts";

type WasmPlugin = ConfigObject<"WasmPlugin">;
export type PluginPhase = WasmPluginSpec["phase"];

/** What the `match` of a WasmPlugin looks at. */
export interface TrafficPlace {
  readonly listenerClass: ListenerClass;
  /** Inbound: where the application is reached; outbound: the service's port, or the listener's. */
  readonly port: number;
}

/** A filter whose configuration is delivered apart from its chain. */
export interface DiscoveredFilter {
  readonly name: string;
  readonly configType: {
    readonly case: "configDiscovery";
    readonly value: MessageInitShape<typeof ExtensionConfigSourceSchema>;
  };
}

const LOWEST_PRIORITY = -(2 ** 31);
const TYPE_URL = "type.googleapis.com/";

/** The filters of the WasmPlugins that see the HTTP requests of a chain, by phase [control-plane §3.2]. */
export function httpPluginFilters(input: GeneratorInput, place: TrafficPlace): Map<PluginPhase, DiscoveredFilter[]> {
  const filters = new Map<PluginPhase, DiscoveredFilter[]>();
  for (const plugin of httpPlugins(input, place)) {
    const { spec } = plugin;
    const name = wasmResourceName(plugin);
    const filter = { name, configType: { case: "configDiscovery" as const, value: discovery(spec) } };
    filters.set(spec.phase, [...(filters.get(spec.phase) ?? []), filter]);
  }
  return filters;
}

/** Those that apply to the proxy, in the order in which requests meet them within a phase. */
export function pluginsOf({ push, proxy }: GeneratorInput): readonly WasmPlugin[] {
  const attached = push.attached("WasmPlugin", proxy);
  const own = attached.filter(({ namespace }) => namespace === proxy.namespace);
  const others = attached.filter(({ namespace }) => namespace !== proxy.namespace);
  const priority = ({ spec }: WasmPlugin) => spec.priority ?? LOWEST_PRIORITY;
  return [...own, ...others].sort((a, b) => priority(b) - priority(a));
}

/** The plugins that {@link httpPluginFilters} are made from. */
export function pluginProvenance(input: GeneratorInput, place: TrafficPlace): Provenance[] {
  return httpPlugins(input, place).map((config) => ({ config, path: "spec" }));
}

function httpPlugins(input: GeneratorInput, place: TrafficPlace): readonly WasmPlugin[] {
  return pluginsOf(input).filter(({ spec }) => spec.type !== "NETWORK" && matches(spec.match, place));
}

function matches(selectors: readonly TrafficSelector[], { listenerClass, port }: TrafficPlace): boolean {
  const other = listenerClass === "inbound" ? "CLIENT" : "SERVER";
  return (
    selectors.length === 0 ||
    selectors.some(({ mode, ports }) => mode !== other && (ports.length === 0 || ports.includes(port)))
  );
}

/**
 * No listener waits for a module: until the configuration is there, and where a data plane refuses it, requests
 * pass or are denied as the plugin's author wants it when the plugin fails.
 */
function discovery({ failStrategy }: WasmPluginSpec): MessageInitShape<typeof ExtensionConfigSourceSchema> {
  return {
    configSource: {
      configSourceSpecifier: { case: "ads", value: {} },
      initialFetchTimeout: duration(0),
      resourceApiVersion: 2,
    },
    defaultConfig: failStrategy === "FAIL_OPEN" ? allowAll() : denyAll(),
    applyDefaultConfigWithoutWarming: true,
    typeUrls: [`${TYPE_URL}${WasmSchema.typeName}`, `${TYPE_URL}${RBACSchema.typeName}`],
  };
}

/** Without rules everything passes; by rules that allow nobody, nothing does [control-plane §3.3]. */
function allowAll(): Any {
  return typed(RBACSchema, { rulesStatPrefix: "wasm-default-allow" });
}

function denyAll(): Any {
  return typed(RBACSchema, { rules: {}, rulesStatPrefix: "wasm-default-deny" });
}
