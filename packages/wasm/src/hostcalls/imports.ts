import type { MetricTable } from "../measure/plugin-metrics.ts";
import { type EnvFunction, isWasiModule, WASI_FUNCTIONS, WASI_MODULES } from "../module/host-functions.ts";
import type { SharedData } from "../shared/shared-data.ts";
import type { SharedQueues } from "../shared/shared-queues.ts";
import type { WasmVm } from "../vm/vm.ts";
import type { WasmImports } from "../vm/web-assembly.ts";
import { wasiCalls } from "../wasi/calls.ts";
import { Errno } from "../wasi/errno.ts";
import { bufferCalls } from "./buffers.ts";
import { foreignCalls } from "./foreign.ts";
import { generalCalls } from "./general.ts";
import { grpcCalls } from "./grpc-calls.ts";
import { headerCalls } from "./headers.ts";
import { httpCalls } from "./http-calls.ts";
import { metricCalls } from "./metrics.ts";
import { propertyCalls } from "./properties.ts";
import { sharedCalls } from "./shared.ts";
import { Status } from "./status.ts";
import { streamCalls } from "./streams.ts";

/** What all VMs of a process share. */
export interface SharedState {
  readonly data: SharedData;
  readonly queues: SharedQueues;
  readonly metrics: MetricTable;
}

type HostFunction = (...args: never[]) => number | undefined;

/** Host calls that a start function may make [proxy-wasm §2.5]. */
export const AT_START: ReadonlySet<string> = new Set([
  ...["proxy_log", "fd_write", "fd_pwrite", "clock_time_get", "poll_oneoff", "random_get"],
]);

/** Callable whatever the capabilities are [proxy-wasm §15.3]. */
const UNRESTRICTABLE = new Set(["emscripten_notify_memory_growth", "pthread_equal"]);

/** The import object of a VM: the functions of all ABI versions, and WASI under both its names. */
export function createImports(vm: WasmVm, shared: SharedState): WasmImports {
  const env: Record<EnvFunction, HostFunction> = {
    ...generalCalls(vm),
    ...headerCalls(vm),
    ...propertyCalls(vm),
    ...bufferCalls(vm),
    ...streamCalls(vm),
    ...httpCalls(vm),
    ...grpcCalls(vm),
    ...sharedCalls(vm, shared.data, shared.queues),
    ...metricCalls(vm, shared.metrics),
    ...foreignCalls(vm),
  };
  const wasi: Record<string, HostFunction> = { ...wasiCalls(vm), ...stubs(vm) };
  const imports: WasmImports = {
    env: restrict(vm, env, Status.InternalFailure, "proxy-wasm"),
  };
  for (const module of WASI_MODULES) imports[module] = restrict(vm, wasi, Errno.NotCapable, "WASI");
  return imports;
}

/** WASI functions that the module asks for and this host has never heard of. */
function stubs(vm: WasmVm): Record<string, HostFunction> {
  const wanted = vm.options.module.imports.filter(({ module }) => isWasiModule(module));
  return Object.fromEntries(
    wanted.filter(({ name }) => !Object.hasOwn(WASI_FUNCTIONS, name)).map(({ name }) => [name, () => Errno.NoSystem]),
  );
}

/** The same functions, those without capability replaced. They can still be linked. */
function restrict(
  vm: WasmVm,
  functions: Record<string, HostFunction>,
  answer: number,
  kind: string,
): Record<string, HostFunction> {
  const { capabilities } = vm.options;
  if (capabilities === null || capabilities.size === 0) return functions;
  const entries = Object.entries(functions).map(([name, call]): [string, HostFunction] => {
    if (capabilities.has(name) || UNRESTRICTABLE.has(name)) return [name, call];
    const text = `Attempted call to restricted ${kind} capability: ${name}`;
    return [
      name,
      () => {
        vm.work--;
        vm.log(4, text);
        return name === "proc_exit" ? undefined : answer;
      },
    ];
  });
  return Object.fromEntries(entries);
}
