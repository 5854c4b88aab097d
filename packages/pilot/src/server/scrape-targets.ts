import type { ProxyNode } from "../model/proxy-node.ts";

/** What is scraped of a workload: everything at its agent, the proxy alone, or the application alone. */
export const SCRAPES = ["merged", "proxy", "application"] as const;
export type Scrape = (typeof SCRAPES)[number];

/** One entry of Prometheus' HTTP service discovery. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

const STATUS_PORT = 15020;
const PROMETHEUS_PORT = 15090;
/** Clients with series of Istio's; a gRPC client that resolves names here has none. */
const DATA_PLANES: ReadonlySet<string> = new Set(["mixerless", "envoy"]);

export function isScrape(text: string): text is Scrape {
  return (SCRAPES as readonly string[]).includes(text);
}

/** The targets of one kind, a group for each workload that has one, in the order of their names. */
export function scrapeTargets(proxies: Iterable<ProxyNode>, scrape: Scrape): TargetGroup[] {
  const groups: TargetGroup[] = [];
  const sorted = [...proxies].sort((a, b) => (a.podKey < b.podKey ? -1 : 1));
  for (const proxy of sorted) {
    if (!DATA_PLANES.has(proxy.userAgentName)) continue;
    const place = placeOf(proxy, scrape);
    const [ip] = proxy.ipAddresses;
    if (place === null || ip === undefined) continue;
    const host = ip.includes(":") ? `[${ip}]` : ip;
    groups.push({
      targets: [`${host}:${place.port}`],
      labels: {
        __metrics_path__: place.path,
        namespace: proxy.namespace,
        pod: proxy.name,
        ...(proxy.labels.app === undefined ? {} : { app: proxy.labels.app }),
      },
    });
  }
  return groups;
}

function placeOf({ metadata }: ProxyNode, scrape: Scrape): { port: number; path: string } | null {
  switch (scrape) {
    case "merged": {
      const { statusPort } = record(metadata.PROXY_CONFIG);
      return { port: portOf(statusPort) ?? STATUS_PORT, path: "/stats/prometheus" };
    }
    case "proxy":
      return { port: portOf(metadata.ENVOY_PROMETHEUS_PORT) ?? PROMETHEUS_PORT, path: "/stats/prometheus" };
    case "application":
      return application(record(metadata.ANNOTATIONS));
  }
}

/** An application says by annotations that it has series, as on Kubernetes. */
function application(annotations: Readonly<Record<string, unknown>>): { port: number; path: string } | null {
  if (annotations["prometheus.io/scrape"] !== "true") return null;
  const port = portOf(annotations["prometheus.io/port"]);
  const path = annotations["prometheus.io/path"];
  return port === null ? null : { port, path: typeof path === "string" && path !== "" ? path : "/metrics" };
}

function portOf(value: unknown): number | null {
  const port = typeof value === "string" ? Number(value) : value;
  return typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
