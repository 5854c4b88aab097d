import { StateName } from "@mixerless/sdk";
import { describe, expect, it } from "vitest";
import { ExportingHost, productpage } from "../testing/exporting-host.ts";

const PEER = new StateName("downstream_peer");

function facts(received: number, sent: number, flags = 0) {
  return {
    ...{ request: { total_size: received }, response: { total_size: sent, flags } },
    ...{ source: { address: "10.0.0.1:4000" }, destination: { address: "10.0.0.2:9000", port: 9000 } },
    xds: { cluster_name: "inbound|9000||" },
  };
}

function open(test: ExportingHost, peer: string | null = productpage()) {
  const exchange = test.host.open({ attributes: facts(0, 0) });
  if (peer !== null) exchange.stream.setState(PEER, peer);
  exchange.connect();
  return exchange;
}

/** State and bytes of each entry. */
function lines(test: ExportingHost) {
  return test.cloud.entries.map(({ labels }) => [
    labels.connection_state,
    Number(labels.total_received_bytes),
    Number(labels.total_sent_bytes),
  ]);
}

describe("TCP connections", () => {
  it("are told at intervals: open first, then connected, and close at the end", async () => {
    const test = new ExportingHost();
    const exchange = open(test);
    for (const received of [10, 20, 20]) {
      exchange.stream.attributes = facts(received, 2 * received);
      await test.advance(10_000);
    }
    exchange.end(facts(25, 50));
    await test.advance(30_000);
    expect(test.cloud.faults).toEqual([]);
    expect(lines(test)).toEqual([
      ["OPEN", 10, 20],
      ["CONNECTED", 20, 40],
      ["CONNECTED", 20, 40],
      ["CLOSE", 25, 50],
    ]);
    const counts = ["connection_open_count", "connection_close_count", "received_bytes_count", "sent_bytes_count"].map(
      (name) => test.cloud.metric(`server/${name}`).map(({ count }) => count),
    );
    expect(counts).toEqual([[1], [1], [25], [50]]);
    expect(test.cloud.metric("server/connection_open_count")[0]?.labels).not.toHaveProperty("response_code");
    expect(test.cloud.entries[0]).toMatchObject({
      entry: { payload: { value: "productpage-v1 --> ratings" } },
      labels: { source_ip: "10.0.0.1", source_port: "4000", destination_ip: "10.0.0.2", destination_port: "9000" },
    });
    expect(test.host.roots[0]?.tickPeriod).toBe(0);
  });

  it("that end before they are told have an entry of their beginning as well", async () => {
    const test = new ExportingHost();
    const start = test.clock.now();
    const exchange = open(test);
    await test.advance(300);
    exchange.end(facts(5, 6));
    await test.advance(10_000);
    expect(lines(test).map(([state]) => state)).toEqual(["OPEN", "CLOSE"]);
    const times = test.cloud.entries.map(
      ({ entry }) => Number(entry.timestamp?.seconds) * 1000 + (entry.timestamp?.nanos ?? 0) / 1e6,
    );
    expect(times).toEqual([start, start + 300]);
  });

  it("wait for their peer, a minute at most, unless an error shows that none will come", async () => {
    const test = new ExportingHost({ configuration: { log_report_duration: "1s" } });
    const [late, never, broken] = [open(test, null), open(test, null), open(test, null)];
    await test.advance(20_000);
    expect(lines(test)).toEqual([]);
    broken.stream.attributes = facts(1, 1, 4);
    await test.advance(11_000);
    expect(test.cloud.entries.map(({ labels }) => labels.source_workload)).toEqual(["unknown"]);
    late.stream.setState(PEER, productpage());
    await test.advance(11_000);
    const opened = () =>
      test.cloud.entries.flatMap(({ labels }) => (labels.connection_state === "OPEN" ? [labels.source_workload] : []));
    expect(opened()).toEqual(["unknown", "productpage-v1"]);
    await test.advance(17_000);
    expect(opened()).toHaveLength(2);
    await test.advance(3000);
    expect(opened()).toEqual(["unknown", "productpage-v1", "unknown"]);
    never.end();
  });

  it("are logged whatever the sampling policy says, and judged by the filter once", async () => {
    let asked = 0;
    const test = new ExportingHost({
      configuration: { access_logging_filter_expression: "f" },
      expressions: {
        f: () => {
          asked++;
          return "true";
        },
      },
    });
    const exchange = open(test);
    await test.advance(10_000);
    await test.advance(10_000);
    exchange.end({ ...facts(1, 1), "istio.access_log_policy": "no" });
    await test.advance(10_000);
    expect(asked).toBe(1);
    expect(lines(test).map(([state]) => state)).toEqual(["OPEN", "CONNECTED", "CLOSE"]);
  });
});
