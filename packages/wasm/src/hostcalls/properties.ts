import { encodeProperty, type PropertyValue } from "../encoding/property-value.ts";
import type { PropertyPath, WasmVm } from "../vm/vm.ts";
import { give } from "./give.ts";
import { Status } from "./status.ts";

/** Properties that the host itself knows. */
const OWN = new Set(["plugin_name", "plugin_root_id", "plugin_vm_id"]);

/** Properties [proxy-wasm §8.3, §9]. */
export function propertyCalls(vm: WasmVm) {
  return {
    proxy_get_property(path: number, pathSize: number, pointerCell: number, sizeCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_property");
      if (!vm.memory.holds(path, pathSize)) return Status.InvalidMemoryAccess;
      const value = readProperty(vm, vm.paths.get(vm.memory.bytes, path >>> 0, pathSize >>> 0));
      if (typeof value === "string") return give(vm, value, pointerCell, sizeCell);
      if (value === undefined) return Status.NotFound;
      const encoded = encodeProperty(value);
      return encoded === null ? Status.SerializationFailure : give(vm, encoded, pointerCell, sizeCell);
    },

    proxy_set_property(path: number, pathSize: number, value: number, valueSize: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_set_property");
      const name = vm.memory.string(path, pathSize);
      const text = vm.memory.string(value, valueSize);
      if (name === null || text === null) return Status.InvalidMemoryAccess;
      const stream = vm.active?.stream ?? null;
      if (stream === null) return Status.NotFound;
      const key = `wasm.${name}`;
      const declared = vm.active?.root.declared.get(name);
      if (declared?.readOnly === true && stream.getState(key) !== null) return Status.BadArgument;
      vm.work -= text.length >>> 10;
      stream.setState(key, text, declared?.span ?? "filterChain");
      return Status.Ok;
    },
  };
}

function readProperty(vm: WasmVm, { path, reader }: PropertyPath): PropertyValue {
  const context = vm.active;
  if (context === null) return undefined;
  const [first = ""] = path;
  const stream = context.stream;
  if (reader !== null) {
    const value = reader(stream === null ? context.root.plugin.attributes : stream.attributes);
    if (value !== undefined) return value;
  }
  if (path.length === 1 && OWN.has(first)) return ownProperty(vm, first);
  return stream?.getState(`wasm.${path.join("\0")}`) ?? undefined;
}

function ownProperty(vm: WasmVm, name: string): string {
  const plugin = vm.active?.root.plugin;
  if (plugin === undefined) return "";
  if (name === "plugin_name") return plugin.name;
  return name === "plugin_root_id" ? plugin.rootId : plugin.vmId;
}
