import { fromBinary } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { FilterConfigSchema } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";

/** What a route says about one HTTP filter. */
export interface RouteFilterConfig {
  readonly disabled: boolean;
  /** Of the filter's own compiler; null where only `disabled` is said. */
  readonly config: unknown;
}

/** By the name that the filter has in the connection manager. */
export type RouteFilterConfigs = ReadonlyMap<string, RouteFilterConfig>;

/** Compiles the per-route message of one filter type. */
export type RouteConfigCompiler = (value: Uint8Array, path: string, faults: ConfigFault[]) => unknown;

/** By message type name. */
export type RouteConfigCompilers = Readonly<Record<string, RouteConfigCompiler>>;

/** Compiles a `typed_per_filter_config` over what wider levels said; the more specific level wins per filter. */
export function compileFilterConfigs(
  wider: RouteFilterConfigs,
  configs: Readonly<Record<string, Any>>,
  compilers: RouteConfigCompilers,
  path: string,
  faults: ConfigFault[],
): RouteFilterConfigs {
  const names = Object.keys(configs);
  if (names.length === 0) return wider;
  const merged = new Map(wider);
  for (const name of names) {
    const any = configs[name];
    if (any === undefined) continue;
    const at = path === "" ? "" : `${path}.`;
    const config = compileOne(any, compilers, `${at}typed_per_filter_config["${name}"]`, faults);
    if (config !== null) merged.set(name, config);
  }
  return merged;
}

function compileOne(
  any: Any,
  compilers: RouteConfigCompilers,
  path: string,
  faults: ConfigFault[],
): RouteFilterConfig | null {
  const type = any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);
  try {
    if (type === FilterConfigSchema.typeName) {
      const wrapper = fromBinary(FilterConfigSchema, any.value);
      if (wrapper.disabled || wrapper.config === undefined) return { disabled: wrapper.disabled, config: null };
      const inner: ConfigFault[] = [];
      const compiled = compileOne(wrapper.config, compilers, `${path}.config`, inner);
      if (!wrapper.isOptional) faults.push(...inner);
      return inner.length === 0 ? compiled : null;
    }
    const compile = Object.hasOwn(compilers, type) ? compilers[type] : undefined;
    if (compile !== undefined) return { disabled: false, config: compile(any.value, path, faults) };
    faults.push({ path, message: `a per-route configuration of type ${type} is not supported` });
  } catch (error) {
    faults.push({
      path,
      message: `${type} cannot be decoded: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
  return null;
}
