const BLACK_HOLE: string = "BlackHoleCluster";
const PASSTHROUGH: string = "PassthroughCluster";

// Clusters that stand for destinations the mesh does not know.
const CATCH_ALL_CLUSTERS: string[] = [
  BLACK_HOLE,
  PASSTHROUGH,
  "InboundPassthroughCluster",
  "InboundPassthroughClusterIpv4",
  "InboundPassthroughClusterIpv6",
];

/** The service that a request is for; empty where nothing is known. */
export class Service {
  host: string = "";
  name: string = "";
  namespace: string = "";
}

/** What a stream says about its service. */
export class ServiceFacts {
  /** The host header, or null if it does not count. */
  authority: string | null = null;
  route: string | null = null;
  cluster: string | null = null;
  /** Of the first service in the cluster's metadata; all null if there is none. */
  host: string | null = null;
  name: string | null = null;
  namespace: string | null = null;
}

/** Catch-all routes and clusters give the name only; else the cluster's metadata wins over the host header. */
export function serviceOf(facts: ServiceFacts): Service {
  const service = new Service();
  service.host = textOf(facts.authority);
  service.name = service.host;
  const catchAll = catchAllName(facts);
  if (catchAll.length > 0) {
    service.name = catchAll;
    return service;
  }
  if (facts.host === null && facts.name === null && facts.namespace === null) return service;
  if (facts.host !== null) service.host = textOf(facts.host);
  service.name = facts.name !== null ? textOf(facts.name) : firstLabel(service.host);
  service.namespace = textOf(facts.namespace);
  return service;
}

function catchAllName(facts: ServiceFacts): string {
  if (facts.route === "block_all") return BLACK_HOLE;
  if (facts.route === "allow_any") return PASSTHROUGH;
  const cluster = textOf(facts.cluster);
  return CATCH_ALL_CLUSTERS.includes(cluster) ? cluster : "";
}

function firstLabel(host: string): string {
  const point: i32 = host.indexOf(".");
  return point < 0 ? host : host.substring(0, point);
}

function textOf(text: string | null): string {
  return text === null ? "" : text;
}
