import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { RunningDemo } from "./running-demo.ts";

const VIEWS = 5;
const METRIC = "istio_requests_total";

/** Labels of a workload as a peer, and as itself, by hand from telemetry §1.5. */
function side(
  prefix: "source" | "destination",
  workload: string,
  namespace: string,
  app: string,
  version: string,
  canonical: string,
) {
  return {
    [`${prefix}_workload`]: workload,
    [`${prefix}_workload_namespace`]: namespace,
    [`${prefix}_app`]: app,
    [`${prefix}_version`]: version,
    [`${prefix}_cluster`]: "Kubernetes",
    [`${prefix}_canonical_service`]: canonical,
    [`${prefix}_principal`]: "unknown",
  };
}

const NOBODY = {
  source_workload: "unknown",
  source_workload_namespace: "unknown",
  source_app: "unknown",
  source_version: "unknown",
  source_cluster: "unknown",
  source_canonical_service: "unknown",
  source_canonical_revision: "latest",
  source_principal: "unknown",
};

function service(name: string) {
  return {
    destination_service: `${name}.default.svc.cluster.local`,
    destination_service_name: name,
    destination_service_namespace: "default",
  };
}

function bookinfo(prefix: "source" | "destination", app: string, version: string) {
  return {
    ...side(prefix, `${app}-${version}`, "default", app, version, app),
    [`${prefix}_canonical_revision`]: version,
  };
}

/** The gateway has no version label. As itself that leaves the label empty, as a peer it reads unknown. */
function gateway(reporter: string) {
  const name = "istio-ingressgateway";
  return {
    ...side("source", name, "istio-system", name, reporter === "source" ? "" : "unknown", name),
    source_canonical_revision: "latest",
  };
}

function edge(reporter: "source" | "destination", source: object, destination: object, target: string) {
  return {
    reporter,
    ...source,
    ...destination,
    ...service(target),
    request_protocol: "http",
    response_code: "200",
    grpc_response_status: "",
    response_flags: "-",
    connection_security_policy: reporter === "source" ? "unknown" : "none",
  };
}

function bothReporters(source: (reporter: string) => object, destination: object, target: string) {
  return [
    edge("source", source("source"), destination, target),
    edge("destination", source("destination"), destination, target),
  ];
}

const PRODUCTPAGE = bookinfo("destination", "productpage", "v1");
const BEHIND_PRODUCTPAGE = (reviews: string) => [
  ...bothReporters(() => bookinfo("source", "productpage", "v1"), bookinfo("destination", "details", "v1"), "details"),
  ...bothReporters(
    () => bookinfo("source", "productpage", "v1"),
    bookinfo("destination", "reviews", reviews),
    "reviews",
  ),
];
const RATINGS = (reviews: string) =>
  bothReporters(() => bookinfo("source", "reviews", reviews), bookinfo("destination", "ratings", "v1"), "ratings");

function sorted(series: readonly object[]): object[] {
  const ordered = series.map((labels) =>
    Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
  return ordered.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Exact identities, by the service accounts of Istio's Bookinfo. */
function principal(workload: string): string {
  if (workload === "istio-ingressgateway")
    return "spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account";
  return `spiffe://cluster.local/ns/default/sa/bookinfo-${workload.replace(/-v\d$/, "")}`;
}

/** The same where both ends have shown certificates. */
function secured(series: object): object {
  const labels = series as Record<string, string>;
  return {
    ...labels,
    source_principal: principal(labels.source_workload ?? ""),
    destination_principal: principal(labels.destination_workload ?? ""),
    connection_security_policy: labels.reporter === "source" ? "unknown" : "mutual_tls",
  };
}

describe.each([
  { reviews: "v2", loopback: "many", viaRatings: true, mtls: "off" },
  { reviews: "v1", loopback: "single", viaRatings: false, mtls: "off" },
  { reviews: "v2", loopback: "many", viaRatings: true, mtls: "strict" },
  { reviews: "v1", loopback: "single", viaRatings: false, mtls: "strict" },
])("page views through reviews $reviews, loopback $loopback, mtls $mtls", ({ reviews, loopback, viaRatings, mtls }) => {
  let demo: RunningDemo;
  const known = (series: object) => (mtls === "off" ? series : secured(series));

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", reviews, "--loopback", loopback, "--mtls", mtls);
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
  }, 20_000);

  async function view(url: string): Promise<void> {
    for (let i = 0; i < VIEWS; i++) expect((await fetchPage(url)).status).toBe(200);
  }

  it("names the seven workloads and their addresses", () => {
    expect(demo.summary.workloads.map(({ name }) => name)).toEqual([
      "productpage-v1",
      "details-v1",
      "reviews-v1",
      "reviews-v2",
      "reviews-v3",
      "ratings-v1",
      "istio-ingressgateway",
    ]);
  });

  it("are counted on every edge by both ends, with every label right, and nothing else is", async () => {
    const expected = [
      ...bothReporters(gateway, PRODUCTPAGE, "productpage"),
      ...BEHIND_PRODUCTPAGE(reviews),
      ...(viaRatings ? RATINGS(reviews) : []),
    ].map(known);
    const grown = await demo.growth(METRIC, expected.length * VIEWS, () => view(`${demo.summary.ingress}/productpage`));
    expect(sorted([...grown.keys()].map((labels) => JSON.parse(labels) as object))).toEqual(sorted(expected));
    expect([...grown.values()].every((by) => by === VIEWS)).toBe(true);
  }, 30_000);

  it.runIf(mtls === "strict")("in clear are refused by every workload, and counted", async () => {
    for (const { app, inbound, admin } of demo.summary.workloads) {
      if (app === undefined) continue;
      const page = `${admin}/stats?filter=${inbound.replace(":", "_")}.no_filter_chain_match`;
      const counted = async () => Number((await fetchPage(page)).body.split(": ")[1]);
      const before = await counted();
      await expect(fetchPage(`http://${inbound}/health`)).rejects.toThrow();
      expect((await counted()) - before).toBe(1);
    }
  });

  it.runIf(mtls === "off")(
    "from outside the mesh are counted once at the door, with nobody as source",
    async () => {
      const expected = [
        edge("destination", NOBODY, PRODUCTPAGE, "productpage"),
        ...BEHIND_PRODUCTPAGE(reviews),
        ...(viaRatings ? RATINGS(reviews) : []),
      ];
      const inbound = demo.workload("productpage-v1").inbound;
      const grown = await demo.growth(METRIC, expected.length * VIEWS, () => view(`http://${inbound}/productpage`));
      expect(sorted([...grown.keys()].map((labels) => JSON.parse(labels) as object))).toEqual(sorted(expected));
      expect([...grown.values()].every((by) => by === VIEWS)).toBe(true);
    },
    30_000,
  );
});
