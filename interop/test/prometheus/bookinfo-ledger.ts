import type { Expected, Labels, Ledger } from "./expectation.ts";

export const VIEW = "/productpage";
export const MISSING = "/static/none";
/** Four views, then something that is not there. */
export const PATHS = [VIEW, VIEW, VIEW, VIEW, MISSING] as const;

/** Workloads whose series have data, and the services that they serve. */
export const SERVICES = ["productpage", "details", "reviews", "ratings"].map(serviceHost);

function serviceHost(name: string): string {
  return `${name}.default.svc.cluster.local`;
}

function workload(prefix: string, name: string, namespace: string): Labels {
  const [app = "", version = ""] = name === GATEWAY ? [name, "latest"] : name.split("-");
  return {
    [`${prefix}_workload`]: name,
    [`${prefix}_workload_namespace`]: namespace,
    [`${prefix}_canonical_service`]: app,
    [`${prefix}_canonical_revision`]: version,
    [`${prefix}_cluster`]: "Kubernetes",
    [`${prefix}_principal`]: principal(app, namespace),
  };
}

const GATEWAY = "istio-ingressgateway";

/** What the demo's certificates say: every hop is by mutual TLS. */
function principal(app: string, namespace: string): string {
  const account = app === GATEWAY ? `${GATEWAY}-service-account` : `bookinfo-${app}`;
  return `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
}

/** One hop of a request as one end of it reports it. */
function hop(reporter: string, source: string, destination: string, code: number): Labels {
  const [service = ""] = destination.split("-");
  return {
    reporter,
    ...workload("source", source, source === GATEWAY ? "istio-system" : "default"),
    ...workload("destination", destination, "default"),
    destination_service: serviceHost(service),
    destination_service_name: service,
    destination_service_namespace: "default",
    request_protocol: "http",
    response_code: String(code),
    response_flags: "-",
    connection_security_policy: reporter === "source" ? "unknown" : "mutual_tls",
  };
}

/** The hops of a view through reviews v2 and of a missing page, each with the path that causes it. */
export const HOPS: readonly { readonly path: string; readonly labels: Labels }[] = ["source", "destination"].flatMap(
  (reporter) => [
    { path: VIEW, labels: hop(reporter, GATEWAY, "productpage-v1", 200) },
    { path: MISSING, labels: hop(reporter, GATEWAY, "productpage-v1", 404) },
    { path: VIEW, labels: hop(reporter, "productpage-v1", "details-v1", 200) },
    { path: VIEW, labels: hop(reporter, "productpage-v1", "reviews-v2", 200) },
    { path: VIEW, labels: hop(reporter, "reviews-v2", "ratings-v1", 200) },
  ],
);

export interface LedgerFacts {
  /** Requests of a path: a number, or a rate. */
  readonly requests: (path: string) => number;
  /** What no duration in milliseconds can be above: the bound of the slowest answer's bucket. */
  readonly longest: number;
  readonly version: string;
}

/** No message here is larger; quantiles of sizes lie between nothing and this. */
const LARGEST = 100_000;

export function bookinfoLedger({ requests, longest, version }: LedgerFacts): Ledger {
  const bounded = (high: number) => HOPS.map(({ labels }): Expected => ({ labels, low: Number.MIN_VALUE, high }));
  return {
    series(metric) {
      switch (metric) {
        case "istio_requests_total":
          return HOPS.map(({ path, labels }) => ({ labels, low: requests(path), high: requests(path) }));
        case "istio_request_duration_milliseconds_bucket":
          return bounded(longest);
        case "istio_request_bytes_bucket":
        case "istio_response_bytes_bucket":
          return bounded(LARGEST);
        case "istio_build":
          return Array.from({ length: 7 }, () => ({ labels: { component: "proxy", tag: version }, low: 1, high: 1 }));
        default: {
          const reason = EMPTY[metric];
          if (reason === undefined) throw new Error(`${metric} is a metric that the ledger does not know`);
          return [];
        }
      }
    },
  };
}

/** Why a metric of the dashboards has no series in this mesh. */
const EMPTY: Readonly<Record<string, string>> = {
  istio_request_duration_seconds_bucket: "a name of Istio before 1.5; the dashboards ask for it after the newer one",
  istio_tcp_received_bytes_total: "Bookinfo has no TCP service",
  istio_tcp_sent_bytes_total: "Bookinfo has no TCP service",
  istio_request_messages_total: "Bookinfo has no gRPC service",
  istio_response_messages_total: "Bookinfo has no gRPC service",
};
