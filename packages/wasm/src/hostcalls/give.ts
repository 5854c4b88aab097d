import type { WasmVm } from "../vm/vm.ts";
import { Status } from "./status.ts";

/**
 * Hands a value to the module: in memory from its allocator, pointer and size in two cells [proxy-wasm §2.6]. Nothing
 * is allocated for an empty value.
 */
export function give(vm: WasmVm, value: string | Uint8Array, pointerCell: number, sizeCell: number): number {
  const { memory } = vm;
  if (!memory.holds(pointerCell, 4) || !memory.holds(sizeCell, 4)) return Status.InvalidMemoryAccess;
  let pointer = 0;
  if (value.length > 0) {
    pointer = vm.allocate(value.length);
    if (pointer === 0) return Status.InvalidMemoryAccess;
    const written = typeof value === "string" ? memory.writeString(pointer, value) : memory.writeBytes(pointer, value);
    if (!written) return Status.InvalidMemoryAccess;
  }
  memory.writeU32(pointerCell, pointer);
  memory.writeU32(sizeCell, value.length);
  return Status.Ok;
}
