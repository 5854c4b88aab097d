import { type AdminAddress, type AdminServer, startAdminServer } from "@mixerless/admin-server";
import type { Clock } from "@mixerless/clock";
import type { MergedSeries } from "./merge/merged-series.ts";
import { seriesHandler } from "./merge/series-handler.ts";
import type { AppProbe } from "./probes/app-probes.ts";
import { probeHandlers } from "./probes/probe-handlers.ts";

export interface StatusOptions {
  readonly address: AdminAddress;
  readonly clock: Clock;
  readonly series: MergedSeries;
  /** Probes of the application that are carried out for the kubelet, and the application's address. */
  readonly probes: readonly AppProbe[];
  readonly applicationHost: string;
  /** Lets requests from beyond loopback change something. */
  readonly token: string | undefined;
  /** Whether the proxy serves with its configuration. */
  readonly ready: () => boolean;
  /** Go out of service, but stay. */
  readonly onDrain: () => void;
  /** Go out of service, then end. */
  readonly onStop: () => void;
}

/** The agent's own port, 15020: health and series [telemetry §7.1]. */
export function startStatusServer(options: StatusOptions): Promise<AdminServer> {
  const { series, probes, applicationHost, clock, token } = options;
  const change = (path: string, help: string, act: () => void) => ({
    path,
    help,
    mutates: true,
    handle: () => {
      act();
      return { body: "OK\n" };
    },
  });
  return startAdminServer(
    options.address,
    [
      {
        path: "/healthz/ready",
        help: "200 once the proxy serves with its configuration",
        mutates: false,
        handle: () =>
          options.ready() ? { body: "" } : { status: 503, body: "The proxy has no configuration yet, or drains.\n" },
      },
      seriesHandler("/stats/prometheus", series),
      seriesHandler("/metrics", series),
      ...probeHandlers(probes, applicationHost, clock),
      change("/drain", "ask clients to go elsewhere, and stay", options.onDrain),
      change("/quitquitquit", "drain the sidecar, then stop it", options.onStop),
    ],
    { token },
  );
}
