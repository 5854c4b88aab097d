import { WASI_FUNCTIONS, type WasiFunction } from "../module/host-functions.ts";
import type { WasmVm } from "../vm/vm.ts";
import { Errno } from "./errno.ts";
import { fileCalls } from "./files.ts";
import { systemCalls } from "./system.ts";

type WasiCall = (...args: never[]) => number | undefined;

/** Every WASI function of the table; what has no meaning here is "not supported". */
export function wasiCalls(vm: WasmVm): Record<WasiFunction, WasiCall> {
  const { calls, flush } = fileCalls(vm);
  vm.flushOutput = flush;
  const own: Record<string, WasiCall> = { ...calls, ...systemCalls(vm) };
  const all = Object.keys(WASI_FUNCTIONS).map((name) => [name, own[name] ?? (() => Errno.NotSupported)]);
  return Object.fromEntries(all) as Record<WasiFunction, WasiCall>;
}
