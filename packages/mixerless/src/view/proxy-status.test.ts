import { describe, expect, it } from "vitest";
import { statusErrors, statusRows, verboseStatusRows } from "./proxy-status.ts";

const CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
const ROUTE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
const NOW = 1_000_000_000_000;

const SYNCZ = [
  {
    ...{ proxy: "web.default", cluster_id: "Kubernetes", istio_version: "1.30.3" },
    certificate_expires: new Date(NOW + 7_200_000).toISOString(),
    resources: {
      [ROUTE]: { state: "error", acked: null, refused: { "80": { message: "no such field" } } },
      [CLUSTER]: { state: "synced", acked: { time: NOW - 125_000 } },
    },
  },
  { proxy: "idle.default", cluster_id: "Kubernetes", istio_version: "1.30.3", resources: {} },
];

describe("proxy-status", () => {
  it("lists proxies by name with the types that they subscribed, in push order", () => {
    expect(statusRows(SYNCZ, "istiod")).toEqual([
      ["idle.default", "Kubernetes", "istiod", "1.30.3", "0"],
      ["web.default", "Kubernetes", "istiod", "1.30.3", "2 (CDS,RDS)"],
    ]);
  });

  it("shows each type's state and its age when asked, and what was not subscribed as ignored", () => {
    const [, web] = verboseStatusRows(SYNCZ, "istiod", NOW);
    expect(web?.slice(4)).toEqual(["SYNCED (2m)", "IGNORED", "IGNORED", "ERROR", "IGNORED", "2h"]);
  });

  it("tells what was refused and why", () => {
    expect(statusErrors(SYNCZ)).toEqual(["web.default RDS 80: no such field"]);
  });
});
