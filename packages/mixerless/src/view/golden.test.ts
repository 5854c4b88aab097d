import { nothing, readEdges } from "@mixerless/store";
import { describe, expect, it } from "vitest";
import { golden, goldenCells } from "./golden.ts";
import { workloadStats } from "./stat.ts";

const labels = (reporter: string, source: string, destination: string, more = "") =>
  `reporter="${reporter}",source_workload="${source}",source_workload_namespace="default",destination_workload="${destination}",destination_workload_namespace="default",destination_service_name="${destination}"${more}`;
const counter = (of: string, code: string, value: number, grpc = "") =>
  `istio_requests_total{${of},response_code="${code}",grpc_response_status="${grpc}"} ${value}\n`;
const TYPES = "# TYPE istio_requests_total counter\n# TYPE istio_request_duration_milliseconds histogram\n";
const edge = labels("source", "a", "b");
const buckets = (counts: readonly [string, number][]) =>
  counts.map(([le, count]) => `istio_request_duration_milliseconds_bucket{${edge},le="${le}"} ${count}\n`).join("");

describe("golden signals", () => {
  const traffic = [
    ...readEdges([
      TYPES +
        counter(edge, "200", 99) +
        counter(edge, "500", 1) +
        buckets([
          ["1", 50],
          ["5", 90],
          ["10", 100],
          ["+Inf", 100],
        ]),
    ]).values(),
  ][0];

  it("are success, rate and the latencies that Prometheus would estimate", () => {
    if (traffic === undefined) throw new Error("no edge");
    expect(golden(traffic, 10)).toEqual({
      requests: 100,
      success: 0.99,
      rps: 10,
      p50: 1,
      p90: 5,
      p99: 9.5,
      tcpConnections: 0,
    });
    expect(goldenCells(golden(traffic, 10))).toEqual(["99.00%", "10.0rps", "1.0ms", "5.0ms", "9.5ms", "100", "0"]);
  });

  it("are dashes where there was nothing", () => {
    const none = nothing();
    expect(goldenCells(golden(none, null))).toEqual(["-", "-", "-", "-", "-", "0", "0"]);
  });
});

describe("stat", () => {
  const place = (workload: string, type = "sidecar") => ({
    ...{ key: `${workload}.default`, name: workload, namespace: "default", workload, type, labels: {} },
    ...{ connectedAt: "", admin: "", merged: "" },
  });

  it("counts what a workload received as itself, and what a gateway passed on", () => {
    const page =
      TYPES +
      counter(labels("source", "gateway", "a"), "200", 5) +
      counter(labels("destination", "gateway", "a"), "200", 4) +
      counter(labels("source", "a", "b"), "200", 3);
    const edges = [...readEdges([page]).values()];
    const stats = workloadStats({
      edges,
      seconds: null,
      proxies: [place("a"), place("gateway", "router"), place("b")],
    });
    expect(stats.map(({ name, requests }) => [name, requests])).toEqual([
      ["a", 4],
      ["b", 0],
      ["gateway", 5],
    ]);
  });
});
