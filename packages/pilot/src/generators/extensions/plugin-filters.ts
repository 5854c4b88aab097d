import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { ExtensionConfigSourceSchema } from "@mixerless/wire/envoy/config/core/v3/config_source";
import { RBACSchema } from "@mixerless/wire/envoy/extensions/filters/http/rbac/v3/rbac";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/http/wasm/v3/wasm";
import { RBACSchema as NetworkRBACSchema } from "@mixerless/wire/envoy/extensions/filters/network/rbac/v3/rbac";
import { WasmSchema as NetworkWasmSchema } from "@mixerless/wire/envoy/extensions/filters/network/wasm/v3/wasm";
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

/** What a plugin sees: requests, or the bytes of connections. */
type Layer = "http" | "network";

/** The filters of the WasmPlugins that see the HTTP requests of a chain, by phase [control-plane §3.2]. */
export function httpPluginFilters(input: GeneratorInput, place: TrafficPlace): Map<PluginPhase, DiscoveredFilter[]> {
  return filtersByPhase(input, place, "http");
}

/** Those that see the bytes of its connections. */
export function networkPluginFilters(input: GeneratorInput, place: TrafficPlace): Map<PluginPhase, DiscoveredFilter[]> {
  return filtersByPhase(input, place, "network");
}

function filtersByPhase(
  input: GeneratorInput,
  place: TrafficPlace,
  layer: Layer,
): Map<PluginPhase, DiscoveredFilter[]> {
  const filters = new Map<PluginPhase, DiscoveredFilter[]>();
  for (const plugin of pluginsAt(input, place, layer)) {
    const { spec } = plugin;
    const name = wasmResourceName(plugin);
    const filter = { name, configType: { case: "configDiscovery" as const, value: discovery(spec, layer) } };
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

/** The plugins that the filters of a chain are made from. */
export function pluginProvenance(input: GeneratorInput, place: TrafficPlace, layer: Layer): Provenance[] {
  return pluginsAt(input, place, layer).map((config) => ({ config, path: "spec" }));
}

function pluginsAt(input: GeneratorInput, place: TrafficPlace, layer: Layer): readonly WasmPlugin[] {
  return pluginsOf(input).filter(
    ({ spec }) => (spec.type === "NETWORK") === (layer === "network") && matches(spec.match, place),
  );
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
function discovery(
  { failStrategy }: WasmPluginSpec,
  layer: Layer,
): MessageInitShape<typeof ExtensionConfigSourceSchema> {
  const { wasm, rbac } = SCHEMAS[layer];
  return {
    configSource: {
      configSourceSpecifier: { case: "ads", value: {} },
      initialFetchTimeout: duration(0),
      resourceApiVersion: 2,
    },
    defaultConfig: (failStrategy === "FAIL_OPEN" ? ALLOW_ALL : DENY_ALL)[layer](),
    applyDefaultConfigWithoutWarming: true,
    typeUrls: [`${TYPE_URL}${wasm.typeName}`, `${TYPE_URL}${rbac.typeName}`],
  };
}

const SCHEMAS = {
  http: { wasm: WasmSchema, rbac: RBACSchema },
  network: { wasm: NetworkWasmSchema, rbac: NetworkRBACSchema },
} as const;

const ALLOW_PREFIX = "wasm-default-allow";
const DENY_PREFIX = "wasm-default-deny";

/** Without rules everything passes; by rules that allow nobody, nothing does [control-plane §3.3]. */
const ALLOW_ALL: Readonly<Record<Layer, () => Any>> = {
  http: () => typed(RBACSchema, { rulesStatPrefix: ALLOW_PREFIX }),
  network: () => typed(NetworkRBACSchema, { statPrefix: ALLOW_PREFIX }),
};
const DENY_ALL: Readonly<Record<Layer, () => Any>> = {
  http: () => typed(RBACSchema, { rules: {}, rulesStatPrefix: DENY_PREFIX }),
  network: () => typed(NetworkRBACSchema, { rules: {}, statPrefix: DENY_PREFIX }),
};
