import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { type EnvoyPlugin, readEnvoyPlugin } from "@mixerless/wasm";
import { toJson, unpackTypedStruct } from "@mixerless/wire";
import { type PluginConfig, PluginConfigSchema } from "@mixerless/wire/envoy/extensions/wasm/v3/wasm";
import { addFaults, type ConfigFault } from "../network/config-fault.ts";

/** A message around a plugin's configuration, as every kind of Wasm extension has one. */
interface PluginMessage {
  readonly config?: PluginConfig;
}

/** The plugin that the configuration of a filter describes; null after adding faults. */
export function readPlugin<Schema extends DescMessage>(
  any: Any,
  schema: Schema,
  path: string,
  faults: ConfigFault[],
): EnvoyPlugin | null {
  const decoded = unpackTypedStruct(any, schema);
  if (decoded.faults !== undefined) {
    addFaults(faults, path, decoded.faults);
    return null;
  }
  const { config } = decoded.message as MessageShape<Schema> & PluginMessage;
  const plugin = config === undefined ? {} : toJson(PluginConfigSchema, config, { declaredNames: true });
  const read = readEnvoyPlugin(plugin, process.env);
  if (!("faults" in read)) return read;
  for (const fault of read.faults) faults.push({ path: `${path}.config.${fault.path}`, message: fault.message });
  return null;
}
