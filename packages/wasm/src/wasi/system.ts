import { randomFillSync } from "node:crypto";
import type { WasmVm } from "../vm/vm.ts";
import { Errno } from "./errno.ts";

const REALTIME = 0;
const MONOTONIC = 1;
const RANDOM_LIMIT = 65_536;

/** Environment, arguments, clocks, randomness, process [proxy-wasm §11]. */
export function systemCalls(vm: WasmVm) {
  const { clock } = vm.options.services;
  const environment = [...vm.options.environment].map(([name, value]) => `${name}=${value}\0`);
  const texts = environment.map((text) => Buffer.from(text, "utf8").toString("latin1"));
  const size = texts.reduce((sum, text) => sum + text.length, 0);
  const two = (first: number, second: number, a: number, b: number) =>
    vm.memory.writeU32(first, a) && vm.memory.writeU32(second, b) ? Errno.Success : Errno.Fault;

  return {
    environ_sizes_get: (count: number, bytes: number) => two(count, bytes, texts.length, size),
    environ_get(pointers: number, buffer: number): number {
      if (!vm.memory.holds(pointers, texts.length * 4) || !vm.memory.holds(buffer, size)) return Errno.Fault;
      let at = buffer >>> 0;
      for (const [i, text] of texts.entries()) {
        vm.memory.writeU32((pointers >>> 0) + i * 4, at);
        vm.memory.writeString(at, text);
        at += text.length;
      }
      return Errno.Success;
    },
    args_sizes_get: (count: number, bytes: number) => two(count, bytes, 0, 0),
    args_get: () => Errno.Success,

    clock_time_get(id: number, _precision: bigint, cell: number): number {
      if (--vm.work < 0) vm.overdrawn("clock_time_get");
      if (id !== REALTIME && id !== MONOTONIC) return Errno.NotSupported;
      const milliseconds = id === REALTIME ? clock.now() : clock.monotonic();
      // Go's runtime gives up where a clock reads 0.
      const nanoseconds = BigInt(Math.max(Math.round(milliseconds * 1e3), 1)) * 1000n;
      return vm.memory.writeBigU64(cell, nanoseconds) ? Errno.Success : Errno.Fault;
    },
    clock_res_get(id: number, cell: number): number {
      if (id !== REALTIME && id !== MONOTONIC) return Errno.NotSupported;
      return vm.memory.writeU64(cell, 1) ? Errno.Success : Errno.Fault;
    },
    random_get(pointer: number, length: number): number {
      if (--vm.work < 0) vm.overdrawn("random_get");
      const count = length >>> 0;
      if (count > RANDOM_LIMIT) return Errno.Invalid;
      if (!vm.memory.holds(pointer, count)) return Errno.Fault;
      vm.work -= 2 + (count >>> 8);
      if (count > 0) randomFillSync(vm.memory.bytes, pointer >>> 0, count);
      return Errno.Success;
    },
    sched_yield: () => Errno.Success,
    poll_oneoff(_subscriptions: number, _events: number, _count: number, cell: number): number {
      if (--vm.work < 0) vm.overdrawn("poll_oneoff");
      return vm.memory.writeU32(cell, 0) ? Errno.Success : Errno.Fault;
    },
    proc_exit(code: number): undefined {
      vm.throwTrap("exit", `the module called proc_exit(${code})`);
    },
    proc_raise: () => Errno.NotSupported,
  };
}
