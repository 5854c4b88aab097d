import { describe, expect, it } from "vitest";
import { growth, oneReporter, readEdges } from "./edges.ts";

const labels = (reporter: string, source: string, destination: string, more = "") =>
  `reporter="${reporter}",source_workload="${source}",source_workload_namespace="default",destination_workload="${destination}",destination_workload_namespace="default",destination_service_name="${destination}"${more}`;
const counter = (of: string, code: string, value: number, grpc = "") =>
  `istio_requests_total{${of},response_code="${code}",grpc_response_status="${grpc}"} ${value}\n`;
const TYPES = "# TYPE istio_requests_total counter\n";
const edge = labels("source", "a", "b");
describe("edges", () => {
  it("fail by 5xx, by no answer, and by gRPC statuses other than OK", () => {
    const page =
      TYPES +
      counter(edge, "200", 90) +
      counter(edge, "404", 4) +
      counter(edge, "503", 3) +
      counter(edge, "0", 2) +
      counter(edge, "200", 1, "13");
    expect([...readEdges([page]).values()]).toMatchObject([{ requests: 100, failures: 6 }]);
  });

  it("grow between two looks; a proxy that started anew counts from zero", () => {
    const look = (ab: number, ac: number) =>
      readEdges([TYPES + counter(edge, "200", ab) + counter(labels("source", "a", "c"), "200", ac)]);
    expect(growth(look(10, 50), look(25, 7)).map(({ destination, requests }) => [destination, requests])).toEqual([
      ["b", 15],
      ["c", 7],
    ]);
  });

  it("count once: by their source, or by their destination where the source has no proxy", () => {
    const page =
      TYPES +
      counter(edge, "200", 1) +
      counter(labels("destination", "a", "b"), "200", 1) +
      counter(labels("destination", "unknown", "a"), "200", 1);
    expect(
      oneReporter([...readEdges([page]).values()]).map(({ source, destination }) => `${source} ${destination}`),
    ).toEqual(["a b", "unknown a"]);
  });

  it("know how their calls came where the destination says so, and how many bytes", () => {
    const of = (policy: string) => `${labels("destination", "a", "b")},connection_security_policy="${policy}"`;
    const page = `${TYPES}${counter(of("mutual_tls"), "200", 3)}${counter(of("none"), "200", 1)}${counter(of("unknown"), "200", 9)}# TYPE istio_request_bytes histogram
istio_request_bytes_bucket{${of("none")},le="+Inf"} 1
istio_request_bytes_sum{${of("none")}} 120
istio_request_bytes_count{${of("none")}} 1
# TYPE istio_tcp_sent_bytes_total counter
istio_tcp_sent_bytes_total{${of("mutual_tls")}} 7
`;
    expect([...readEdges([page]).values()]).toMatchObject([
      { requests: 13, secured: 4, mutualTls: 3, bytesIn: 120, bytesOut: 7 },
    ]);
  });

  it("leave a page out that does not parse", () => {
    expect([...readEdges(["<html>", TYPES + counter(edge, "200", 1)]).values()]).toHaveLength(1);
  });
});
