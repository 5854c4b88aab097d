import { HiddenMetric, type MetricTable, type PluginMetric } from "../measure/plugin-metrics.ts";
import type { WasmVm } from "../vm/vm.ts";
import { MetricKind, Status } from "./status.ts";

const KINDS = 3;

/** Metrics [proxy-wasm §8.10]. The two low bits of an id are its kind; ids begin at 4, 5 and 6. */
export function metricCalls(vm: WasmVm, metrics: MetricTable) {
  const byKind: PluginMetric[][] = [[], [], []];
  /** Where what goes beyond the limit is counted: the call must answer Ok, or SDKs panic. */
  const overflow: (number | null)[] = [null, null, null];
  let defined = 0;

  const find = (id: number): PluginMetric | undefined => byKind[id & 3]?.[(id >>> 2) - 1];

  const add = (kind: number, metric: PluginMetric): number => {
    const list = byKind[kind] as PluginMetric[];
    list.push(metric);
    return list.length * 4 + kind;
  };

  const define = (kind: number, name: string): number => {
    if (defined >= vm.limits.metrics) {
      vm.hit("metrics");
      overflow[kind] ??= add(kind, new HiddenMetric(kind));
      return overflow[kind] as number;
    }
    defined++;
    const { metric, problem } = metrics.define(kind, name);
    if (problem !== null) vm.log(3, `a metric of the plugin is not shown: ${problem}`);
    return add(kind, metric);
  };

  return {
    proxy_define_metric(kind: number, name: number, size: number, idCell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_define_metric");
      if (kind >>> 0 >= KINDS) return Status.BadArgument;
      const text = vm.memory.string(name, size);
      if (text === null || !vm.memory.holds(idCell, 4)) return Status.InvalidMemoryAccess;
      vm.work -= DEFINE_WORK;
      vm.memory.writeU32(idCell, define(kind, text));
      return Status.Ok;
    },

    proxy_increment_metric(id: number, offset: bigint): number {
      if (--vm.work < 0) vm.overdrawn("proxy_increment_metric");
      const kind = id & 3;
      if (kind > MetricKind.Gauge) return Status.BadArgument;
      if (kind === MetricKind.Counter && offset <= 0n) return Status.BadArgument;
      const metric = find(id);
      if (metric === undefined) return Status.NotFound;
      metric.add(Number(offset));
      return Status.Ok;
    },

    proxy_record_metric(id: number, value: bigint): number {
      if (--vm.work < 0) vm.overdrawn("proxy_record_metric");
      const metric = find(id);
      if (metric === undefined) return Status.NotFound;
      metric.record(value < 0n ? Number(BigInt.asUintN(64, value)) : Number(value));
      return Status.Ok;
    },

    proxy_get_metric(id: number, cell: number): number {
      if (--vm.work < 0) vm.overdrawn("proxy_get_metric");
      if ((id & 3) > MetricKind.Gauge) return Status.BadArgument;
      const metric = find(id);
      if (metric === undefined) return Status.NotFound;
      const value = BigInt.asUintN(64, BigInt(Math.round(metric.value)));
      return vm.memory.writeBigU64(cell, value) ? Status.Ok : Status.InvalidMemoryAccess;
    },
  };
}

/** Making a series costs a microsecond or two. */
const DEFINE_WORK = 5;
