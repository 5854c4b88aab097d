import type { CounterHandle, RootContext } from "@mixerless/sdk";

/** Metrics and log entries that left, or didn't, on the proxy's own page of series. */
export interface ExportCounters {
  readonly series: ResultCounters;
  readonly entries: ResultCounters;
  /** Counts a call of a service, by upstream's name for it. */
  call(type: "metric" | "logging", success: boolean): void;
}

export interface ResultCounters {
  /** Taken by the endpoint. */
  sent(count: number): void;
  /** Refused, or not answered. */
  failed(count: number): void;
  /** Never sent, for want of room. */
  dropped(count: number): void;
}

export function createExportCounters(root: RootContext): ExportCounters {
  const calls = (type: string, success: boolean) =>
    root.counter(
      "envoy_export_call",
      ["wasm_filter", "type", "success"],
      ["stackdriver_filter", type, String(success)],
    );
  return {
    series: resultCounters(root, "time_series"),
    entries: resultCounters(root, "log_entry"),
    call: (type, success) => calls(type, success).add(1),
  };
}

function resultCounters(root: RootContext, kind: string): ResultCounters {
  const counter = (result: string) => root.counter("mixerless_cloud_export_total", ["kind", "result"], [kind, result]);
  const [sent, failed, dropped]: CounterHandle[] = ["exported", "failed", "dropped"].map(counter);
  // Shown as 0 from the start: an alert on what is not there never fires.
  for (const handle of [sent, failed, dropped]) handle?.add(0);
  return {
    sent: (count) => sent?.add(count),
    failed: (count) => failed?.add(count),
    dropped: (count) => dropped?.add(count),
  };
}
