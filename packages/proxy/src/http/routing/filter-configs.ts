import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { typeNameOfUrl, unpackAnyAs, unpackTypedStruct } from "@mixerless/wire";
import { FilterConfigSchema } from "@mixerless/wire/envoy/config/route/v3/route_components";
import { addFaults, type ConfigFault, fieldPath } from "../../network/config-fault.ts";

/** What a route says about one HTTP filter. */
export interface RouteFilterConfig {
  readonly disabled: boolean;
  /** Of the filter's own compiler; null where only `disabled` is said. */
  readonly config: unknown;
}

/** By the name that the filter has in the connection manager. */
export type RouteFilterConfigs = ReadonlyMap<string, RouteFilterConfig>;

/** Compiles the per-route message of one filter type. */
export interface RouteConfigCompiler {
  readonly schema: DescMessage;
  compile(message: Message, path: string, faults: ConfigFault[]): unknown;
}

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
    const config = compileOne(any, compilers, fieldPath(path, `typedPerFilterConfig["${name}"]`), faults);
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
  const type = typeNameOfUrl(any.typeUrl);
  if (type === FilterConfigSchema.typeName) return compileWrapped(any, compilers, path, faults);
  const compiler = Object.hasOwn(compilers, type) ? compilers[type] : undefined;
  if (compiler === undefined) {
    faults.push({ path, message: `a per-route configuration of type ${type} is not supported` });
    return null;
  }
  const decoded = unpackTypedStruct(any, compiler.schema);
  if (decoded.faults !== undefined) {
    addFaults(faults, path, decoded.faults);
    return null;
  }
  return { disabled: false, config: compiler.compile(decoded.message, path, faults) };
}

/** The form that can also switch a filter off, or be ignored by proxies that do not know it. */
function compileWrapped(
  any: Any,
  compilers: RouteConfigCompilers,
  path: string,
  faults: ConfigFault[],
): RouteFilterConfig | null {
  const decoded = unpackAnyAs(any, FilterConfigSchema);
  if (decoded.faults !== undefined) {
    addFaults(faults, path, decoded.faults);
    return null;
  }
  const { config, disabled, isOptional } = decoded.message;
  if (disabled || config === undefined) return { disabled, config: null };
  const found: ConfigFault[] = [];
  const compiled = compileOne(config, compilers, fieldPath(path, "config"), found);
  if (found.length === 0) return compiled;
  if (!isOptional) faults.push(...found);
  return null;
}
