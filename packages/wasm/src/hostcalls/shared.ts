import type { SharedData } from "../shared/shared-data.ts";
import type { SharedQueues } from "../shared/shared-queues.ts";
import type { WasmVm } from "../vm/vm.ts";
import { give } from "./give.ts";
import { Status } from "./status.ts";

/** Shared data and queues [proxy-wasm §8.8, §8.9]. */
export function sharedCalls(vm: WasmVm, data: SharedData, queues: SharedQueues) {
  const { vmId } = vm.options;
  return {
    proxy_get_shared_data(
      key: number,
      keySize: number,
      pointerCell: number,
      sizeCell: number,
      casCell: number,
    ): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_shared_data");
      const name = vm.memory.string(key, keySize);
      if (name === null || !vm.memory.holds(casCell, 4)) return Status.InvalidMemoryAccess;
      const item = data.get(vmId, name);
      if (item === null) return Status.NotFound;
      const status = give(vm, item.value, pointerCell, sizeCell);
      if (status === Status.Ok) vm.memory.writeU32(casCell, item.cas);
      return status;
    },

    proxy_set_shared_data(key: number, keySize: number, value: number, valueSize: number, cas: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_set_shared_data");
      const name = vm.memory.string(key, keySize);
      const text = vm.memory.string(value, valueSize);
      if (name === null || text === null) return Status.InvalidMemoryAccess;
      vm.work -= text.length >>> 10;
      const { sharedDataBytes: bytes, sharedDataKeys: keys } = vm.limits;
      const outcome = data.set(vmId, name, text, cas >>> 0, { bytes, keys });
      if (outcome === "stored") return Status.Ok;
      if (outcome === "mismatch") return Status.CasMismatch;
      vm.hit("sharedDataBytes");
      return Status.InternalFailure;
    },

    proxy_register_shared_queue(name: number, nameSize: number, tokenCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_register_shared_queue");
      const text = vm.memory.string(name, nameSize);
      if (text === null || !vm.memory.holds(tokenCell, 4)) return Status.InvalidMemoryAccess;
      const root = vm.active?.root;
      if (root === undefined) return Status.BadArgument;
      const owner = (token: number) => vm.defer(() => root.onQueueReady(token));
      const token = queues.register(vmId, text, owner, vm.limits.queues);
      if (token === 0) {
        vm.hit("queues");
        return Status.InternalFailure;
      }
      vm.memory.writeU32(tokenCell, token);
      return Status.Ok;
    },

    proxy_resolve_shared_queue(id: number, idSize: number, name: number, nameSize: number, tokenCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_resolve_shared_queue");
      const owner = vm.memory.string(id, idSize);
      const text = vm.memory.string(name, nameSize);
      if (owner === null || text === null || !vm.memory.holds(tokenCell, 4)) return Status.InvalidMemoryAccess;
      const token = queues.resolve(owner.length === 0 ? vmId : owner, text);
      vm.memory.writeU32(tokenCell, token);
      return token === 0 ? Status.NotFound : Status.Ok;
    },

    proxy_enqueue_shared_queue(token: number, pointer: number, size: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_enqueue_shared_queue");
      const item = vm.memory.string(pointer, size);
      if (item === null) return Status.InvalidMemoryAccess;
      vm.work -= item.length >>> 10;
      const outcome = queues.enqueue(token >>> 0, item, vm.limits.queueBytes);
      if (outcome === "dropped") vm.hit("queueBytes");
      return outcome === "unknown" ? Status.NotFound : Status.Ok;
    },

    proxy_dequeue_shared_queue(token: number, pointerCell: number, sizeCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_dequeue_shared_queue");
      if (!vm.memory.holds(pointerCell, 4) || !vm.memory.holds(sizeCell, 4)) return Status.InvalidMemoryAccess;
      const item = queues.dequeue(token >>> 0);
      if (item === undefined) return Status.NotFound;
      return item === null ? Status.Empty : give(vm, item, pointerCell, sizeCell);
    },
  };
}
