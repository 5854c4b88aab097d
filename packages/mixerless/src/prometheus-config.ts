import { stringify } from "yaml";

export interface PrometheusConfigOptions {
  /** URL of the control plane, which knows the targets. */
  readonly pilot: string;
  /** Proxy, agent and application in one scrape at the agent, or proxy and application apart. */
  readonly scrape: "merged" | "split";
  /** As Prometheus writes it, for example `15s`. */
  readonly interval: string;
}

/** How soon a workload that comes or goes is noticed. */
const REFRESH = "5s";

/**
 * A configuration for Prometheus. Exactly one job has the `istio_*` series, because a series that is scraped
 * twice counts double in every sum.
 */
export function prometheusConfig({ pilot, scrape, interval }: PrometheusConfigOptions): string {
  const discovered = (job: string, kind: string) => ({
    job_name: job,
    http_sd_configs: [{ url: `${pilot}/sd/prometheus?scrape=${kind}`, refresh_interval: REFRESH }],
  });
  const workloads =
    scrape === "merged"
      ? [discovered("workloads", "merged")]
      : [discovered("proxies", "proxy"), discovered("applications", "application")];
  return stringify({
    global: { scrape_interval: interval },
    scrape_configs: [
      { job_name: "mixerless-pilot", static_configs: [{ targets: [new URL(pilot).host] }] },
      ...workloads,
    ],
  });
}
