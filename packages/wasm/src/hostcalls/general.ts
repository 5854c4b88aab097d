import type { WasmVm } from "../vm/vm.ts";
import { give } from "./give.ts";
import { BufferType, Status } from "./status.ts";

const CRITICAL = 5;

/** Log, time, timers and the life of contexts [proxy-wasm §8.1]. */
export function generalCalls(vm: WasmVm) {
  const { services } = vm.options;
  return {
    proxy_log(level: number, pointer: number, size: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_log");
      if (level >>> 0 > CRITICAL) return Status.BadArgument;
      if (!vm.memory.holds(pointer, size)) return Status.InvalidMemoryAccess;
      if (level < services.logLevel()) return Status.Ok;
      vm.log(level, vm.memory.string(pointer, Math.min(size >>> 0, vm.limits.logBytes + 1)) ?? "");
      return Status.Ok;
    },

    proxy_get_log_level(cell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_log_level");
      return vm.memory.writeU32(cell, services.logLevel()) ? Status.Ok : Status.InvalidMemoryAccess;
    },

    proxy_get_current_time_nanoseconds(cell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_current_time_nanoseconds");
      return vm.memory.writeU64(cell, services.clock.now() * 1e6) ? Status.Ok : Status.InvalidMemoryAccess;
    },

    proxy_set_tick_period_milliseconds(milliseconds: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_set_tick_period_milliseconds");
      vm.active?.root.setTickPeriod(milliseconds >>> 0);
      return Status.Ok;
    },

    proxy_set_effective_context(id: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_set_effective_context");
      return vm.setEffectiveContext(id >>> 0) ? Status.Ok : Status.BadArgument;
    },

    proxy_done(): number {
      if (--vm.work < 0) vm.overdrawn("proxy_done");
      return vm.active?.root.finishDone() === true ? Status.Ok : Status.NotFound;
    },

    proxy_get_status(codeCell: number, pointerCell: number, sizeCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_status");
      const { code, message } = vm.active?.root.status ?? { code: 0, message: "" };
      if (!vm.memory.writeU32(codeCell, code)) return Status.InvalidMemoryAccess;
      return give(vm, message, pointerCell, sizeCell);
    },

    proxy_get_configuration(pointerCell: number, sizeCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_configuration");
      const root = vm.active?.root;
      const wanted = root?.configuring === true ? BufferType.PluginConfiguration : BufferType.VmConfiguration;
      const bytes = wanted === BufferType.PluginConfiguration ? root?.plugin.configuration : vm.options.configuration;
      return give(vm, bytes ?? "", pointerCell, sizeCell);
    },

    emscripten_notify_memory_growth(_memory: number): undefined {},

    pthread_equal(one: number, other: number): number {
      return one === other ? 1 : 0;
    },
  };
}
