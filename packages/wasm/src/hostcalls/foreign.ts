import { foreignFunction } from "../foreign/table.ts";
import type { WasmVm } from "../vm/vm.ts";
import { give } from "./give.ts";
import { Status } from "./status.ts";

/** Functions by name [proxy-wasm §8.11]. */
export function foreignCalls(vm: WasmVm) {
  return {
    proxy_call_foreign_function(
      name: number,
      nameSize: number,
      argument: number,
      argumentSize: number,
      pointerCell: number,
      sizeCell: number,
    ): number {
      if (--vm.work < 0) vm.overdrawn("proxy_call_foreign_function");
      const { memory } = vm;
      const text = memory.string(name, nameSize);
      const bytes = memory.copy(argument, argumentSize);
      if (text === null || bytes === null) return Status.InvalidMemoryAccess;
      const called = foreignFunction(vm, text);
      if (called === null) return Status.NotFound;
      const { status, result } = called(vm, bytes);
      vm.work -= bytes.length >>> 10;
      if (pointerCell !== 0 && sizeCell !== 0) {
        const given = give(vm, result, pointerCell, sizeCell);
        return given === Status.Ok ? status : given;
      }
      if (pointerCell !== 0 && !memory.writeU32(pointerCell, 0)) return Status.InvalidMemoryAccess;
      if (sizeCell !== 0 && !memory.writeU32(sizeCell, result.length)) return Status.InvalidMemoryAccess;
      return status;
    },
  };
}
