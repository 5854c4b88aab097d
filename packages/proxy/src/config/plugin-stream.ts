import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "@mixerless/clock";
import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import {
  PluginState,
  type PluginStatusReportSchema,
  type PluginStatusSchema,
  PluginStatusService,
} from "@mixerless/wire/mixerless/status/v1/plugin_status";
import { createReportClient, grpcMethod, type ReportClient } from "@mixerless/xds";
import type { SecretSource } from "../tls/secret-store.ts";
import type { PluginReport } from "../wasm/plugin-status.ts";
import { controlPlaneOf } from "./control-plane.ts";

export interface PluginStreamOptions {
  readonly clock: Clock;
  /** What the TLS of the control plane's cluster names. */
  readonly secrets: SecretSource;
  readonly random: () => number;
}

/** Plugins at most in one report. */
const LARGEST = 200;

/** A stream that tells the control plane how the plugins are. */
export function startPluginStream(
  bootstrap: Bootstrap,
  { clock, secrets, random }: PluginStreamOptions,
): ReportClient<readonly PluginReport[]> {
  const { target, security, node } = controlPlaneOf(bootstrap, secrets, clock);
  const method = grpcMethod(PluginStatusService.method.reportPlugins);
  return createReportClient<readonly PluginReport[]>(
    { target, security, method },
    {
      ...{ clock, random },
      encode: (reports, first): MessageInitShape<typeof PluginStatusReportSchema> => ({
        ...(first ? { node } : {}),
        plugins: reports.slice(0, LARGEST).map(messageOf),
        leftOut: Math.max(0, reports.length - LARGEST),
      }),
    },
  );
}

function messageOf(report: PluginReport): MessageInitShape<typeof PluginStatusSchema> {
  const { lastError, ...rest } = report;
  return {
    ...rest,
    state: PluginState[report.state.toUpperCase() as keyof typeof PluginState],
    since: BigInt(Math.trunc(report.since)),
    ...(lastError === null ? {} : { lastError: { ...lastError, backtrace: [...lastError.backtrace] } }),
    ...{ calls: BigInt(report.calls), traps: BigInt(report.traps), memory: BigInt(report.memory) },
    streams: BigInt(report.streams),
    ...{ failedStreams: BigInt(report.failedStreams), bypassedStreams: BigInt(report.bypassedStreams) },
  };
}
