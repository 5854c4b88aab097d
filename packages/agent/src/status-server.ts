import { type AdminAddress, type AdminServer, startAdminServer } from "@mixerless/admin-server";
import { type MetricStore, negotiate } from "@mixerless/metrics";

export interface StatusOptions {
  readonly address: AdminAddress;
  readonly metrics: MetricStore;
  /** Whether the proxy serves with its configuration. */
  readonly ready: () => boolean;
  /** Go out of service, but stay. */
  readonly onDrain: () => void;
  /** Go out of service, then end. */
  readonly onStop: () => void;
}

/** The agent's own port, 15020: health and series [telemetry §7.1]. */
export function startStatusServer(options: StatusOptions): Promise<AdminServer> {
  const series = (path: string) => ({
    path,
    help: "series of proxy and agent",
    mutates: false,
    handle: (_query: URLSearchParams, request: { headers: { accept?: string | undefined } }) => {
      const format = negotiate(request.headers.accept);
      return { body: options.metrics.expose({ format }), contentType: format.contentType };
    },
  });
  const change = (path: string, help: string, act: () => void) => ({
    path,
    help,
    mutates: true,
    handle: () => {
      act();
      return { body: "OK\n" };
    },
  });
  return startAdminServer(options.address, [
    {
      path: "/healthz/ready",
      help: "200 once the proxy serves with its configuration",
      mutates: false,
      handle: () =>
        options.ready() ? { body: "" } : { status: 503, body: "The proxy has no configuration yet, or drains.\n" },
    },
    series("/stats/prometheus"),
    series("/metrics"),
    change("/drain", "ask clients to go elsewhere, and stay", options.onDrain),
    change("/quitquitquit", "drain the sidecar, then stop it", options.onStop),
  ]);
}
