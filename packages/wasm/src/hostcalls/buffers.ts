import type { GuestBuffer } from "../contexts/guest-buffer.ts";
import type { WasmVm } from "../vm/vm.ts";
import { give } from "./give.ts";
import { BufferType, Status } from "./status.ts";

const LAST_BUFFER = BufferType.CallData;

/** Bodies, connection data, configurations [proxy-wasm §8.4]. */
export function bufferCalls(vm: WasmVm) {
  /** Outside contexts only the VM's configuration can be read. */
  const bufferOf = (type: number): GuestBuffer | null => vm.active?.buffer(type) ?? null;

  return {
    proxy_get_buffer_bytes(type: number, start: number, length: number, pointerCell: number, sizeCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_buffer_bytes");
      if (type >>> 0 > LAST_BUFFER) return Status.BadArgument;
      const buffer = bufferOf(type);
      if (buffer === null) return Status.NotFound;
      const from = start >>> 0;
      const to = Math.min(from + (length >>> 0), buffer.size);
      return give(vm, from >= to ? "" : buffer.slice(from, to), pointerCell, sizeCell);
    },

    proxy_get_buffer_status(type: number, lengthCell: number, flagsCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_buffer_status");
      if (type >>> 0 > LAST_BUFFER) return Status.BadArgument;
      const buffer = bufferOf(type);
      if (buffer === null) return Status.NotFound;
      const written = vm.memory.writeU32(lengthCell, buffer.size) && vm.memory.writeU32(flagsCell, 0);
      return written ? Status.Ok : Status.InvalidMemoryAccess;
    },

    proxy_set_buffer_bytes(type: number, start: number, length: number, data: number, dataSize: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_set_buffer_bytes");
      if (type >>> 0 > LAST_BUFFER) return Status.BadArgument;
      const bytes = vm.memory.copy(data, dataSize);
      if (bytes === null) return Status.InvalidMemoryAccess;
      const buffer = bufferOf(type);
      if (buffer === null) return Status.NotFound;
      vm.work -= (buffer.size + bytes.length) >>> 10;
      if (buffer.size + bytes.length > vm.limits.bodyBytes && bytes.length > buffer.size) {
        vm.hit("bodyBytes");
        return Status.InternalFailure;
      }
      return buffer.replace(start >>> 0, length >>> 0, bytes);
    },
  };
}
