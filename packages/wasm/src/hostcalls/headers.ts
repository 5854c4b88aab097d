import type { Context } from "../contexts/context.ts";
import { type Pair, parsePairs, sizeOfPairs, writePairs } from "../encoding/pairs.ts";
import type { HeaderFields, HeaderKey } from "../vm/stream-host.ts";
import type { WasmVm } from "../vm/vm.ts";
import { give } from "./give.ts";
import { HeaderMapType, Status } from "./status.ts";

const LAST_MAP = HeaderMapType.HttpCallTrailers;

/** Headers, trailers and metadata [proxy-wasm §8.2]. */
export function headerCalls(vm: WasmVm) {
  const missing = vm.options.module.abi === "0.1.0" ? Status.Ok : Status.NotFound;

  /** The key at `pointer`, whose bounds have been checked. */
  const keyAt = (pointer: number, size: number): HeaderKey =>
    vm.headerNames.get(vm.memory.bytes, pointer >>> 0, size >>> 0);

  /** Adds a field, or sets it in the place of those of its name. */
  const put = (map: number, key: number, keySize: number, value: number, valueSize: number, replace: boolean) => {
    if (map >>> 0 > LAST_MAP) return Status.BadArgument;
    const text = vm.memory.holds(key, keySize) ? vm.memory.string(value, valueSize) : null;
    if (text === null) return Status.InvalidMemoryAccess;
    const context = vm.active;
    const fields = context === null ? null : context.writable(map);
    if (context === null || fields === null) return Status.BadArgument;
    const name = keyAt(key, keySize);
    if (!hasRoom(vm, context, name.text.length + text.length)) return Status.InternalFailure;
    if (replace) fields.set(name, text);
    else fields.add(name, text);
    context.changed(map);
    return Status.Ok;
  };

  return {
    proxy_get_header_map_value(
      map: number,
      key: number,
      keySize: number,
      pointerCell: number,
      sizeCell: number,
    ): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_header_map_value");
      if (map >>> 0 > LAST_MAP) return Status.BadArgument;
      if (!vm.memory.holds(key, keySize)) return Status.InvalidMemoryAccess;
      const context = vm.active;
      const fields = context === null ? null : context.readable(map);
      let value: string | null;
      if (fields !== null) value = fields.getFirst(keyAt(key, keySize));
      else {
        const pairs = context?.readOnlyPairs(map) ?? null;
        if (pairs === null) return context?.logging === true ? Status.NotFound : Status.BadArgument;
        value = valueIn(pairs, keyAt(key, keySize).text);
      }
      if (value !== null) return give(vm, value, pointerCell, sizeCell);
      return missing === Status.Ok ? give(vm, "", pointerCell, sizeCell) : missing;
    },

    proxy_get_header_map_pairs(map: number, pointerCell: number, sizeCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_header_map_pairs");
      if (map >>> 0 > LAST_MAP) return Status.BadArgument;
      const fields = vm.active?.readable(map) ?? null;
      const pairs = fields === null ? (vm.active?.readOnlyPairs(map) ?? []) : pairsOf(fields);
      return givePairs(vm, pairs, pointerCell, sizeCell);
    },

    proxy_get_header_map_size(map: number, cell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_header_map_size");
      const fields = map >>> 0 > HeaderMapType.ResponseTrailers ? null : (vm.active?.readable(map) ?? null);
      if (fields === null) return Status.BadArgument;
      return vm.memory.writeU32(cell, fields.byteSize) ? Status.Ok : Status.InvalidMemoryAccess;
    },

    proxy_add_header_map_value(map: number, key: number, keySize: number, value: number, valueSize: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_add_header_map_value");
      return put(map, key, keySize, value, valueSize, false);
    },

    proxy_replace_header_map_value(
      map: number,
      key: number,
      keySize: number,
      value: number,
      valueSize: number,
    ): number {
      if (--vm.work < 0) vm.overdrawn("proxy_replace_header_map_value");
      return put(map, key, keySize, value, valueSize, true);
    },

    proxy_remove_header_map_value(map: number, key: number, keySize: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_remove_header_map_value");
      if (map >>> 0 > LAST_MAP) return Status.BadArgument;
      if (!vm.memory.holds(key, keySize)) return Status.InvalidMemoryAccess;
      const context = vm.active;
      const fields = context === null ? null : context.writable(map);
      if (context === null || fields === null) return Status.BadArgument;
      fields.remove(keyAt(key, keySize));
      context.changed(map);
      return Status.Ok;
    },

    proxy_set_header_map_pairs(map: number, pointer: number, size: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_set_header_map_pairs");
      if (map >>> 0 > LAST_MAP) return Status.BadArgument;
      const bytes = vm.memory.copy(pointer, size);
      if (bytes === null) return Status.InvalidMemoryAccess;
      const context = vm.active;
      const fields = context === null ? null : context.writable(map);
      if (context === null || fields === null) return Status.BadArgument;
      const pairs = parsePairs(bytes);
      if (!hasRoom(vm, context, bytes.length)) return Status.InternalFailure;
      vm.work -= pairs.length;
      replaceAll(vm, fields, pairs);
      context.changed(map);
      return Status.Ok;
    },
  };
}

/** Bytes that a field takes beside its name and value. */
const FIELD_COST = 32;

/** True where the stream's plugin may still add so many bytes to header maps. What it removes isn't given back. */
function hasRoom(vm: WasmVm, context: Context, bytes: number): boolean {
  context.headerGrowth += bytes + FIELD_COST;
  if (context.headerGrowth <= vm.limits.headerGrowth) return true;
  vm.hit("headerGrowth");
  return false;
}

function valueIn(pairs: readonly Pair[], name: string): string | null {
  for (const pair of pairs) if (pair[0] === name) return pair[1];
  return null;
}

export function pairsOf(fields: HeaderFields): Pair[] {
  const pairs: Pair[] = [];
  fields.forEach((name, value) => {
    pairs.push([name, value]);
  });
  return pairs;
}

function replaceAll(vm: WasmVm, fields: HeaderFields, pairs: readonly Pair[]): void {
  const { services } = vm.options;
  for (const name of new Set(pairsOf(fields).map(([key]) => key))) fields.remove(services.headerKey(name));
  for (const [name, value] of pairs) fields.add(services.headerKey(name.toLowerCase()), value);
}

/** As {@link give}, written straight into the module's memory. */
export function givePairs(vm: WasmVm, pairs: readonly Pair[], pointerCell: number, sizeCell: number): number {
  if (pairs.length === 0) return give(vm, "", pointerCell, sizeCell);
  const { memory } = vm;
  if (!memory.holds(pointerCell, 4) || !memory.holds(sizeCell, 4)) return Status.InvalidMemoryAccess;
  const size = sizeOfPairs(pairs);
  const pointer = vm.allocate(size);
  if (pointer === 0 || !memory.holds(pointer, size)) return Status.InvalidMemoryAccess;
  writePairs(memory.bytes, pointer, pairs);
  memory.writeU32(pointerCell, pointer);
  memory.writeU32(sizeCell, size);
  return Status.Ok;
}
