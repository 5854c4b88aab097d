import { describe, expect, it } from "vitest";
import { statsJson, statsText, sumStats } from "./sum-stats.ts";
import { sumClustersJson, sumClustersText, sumListenersJson, sumMemory } from "./sum-views.ts";

const json = (value: unknown) => JSON.stringify(value);

describe("/stats of workers", () => {
  const buckets = (first: number, second: number) => [
    { upper_bound: 0.5, interval: first, cumulative: first },
    { upper_bound: "+Inf", interval: second, cumulative: first + second },
  ];
  const sums = sumStats([
    json({ stats: [{ name: "a", value: 1 }, { histograms: [{ name: "h", buckets: buckets(1, 2) }] }] }),
    json({
      stats: [
        { name: "b", value: 5 },
        { name: "a", value: 2 },
        { histograms: [{ name: "h", buckets: buckets(3, 4) }] },
      ],
    }),
  ]);

  it("are summed by name, in both formats", () => {
    expect(statsText(sums)).toBe("a: 3\nb: 5\nh: B0.5(4,4) B+Inf(6,10)\n");
    expect(JSON.parse(statsJson(sums))).toEqual({
      stats: [
        { name: "a", value: 3 },
        { name: "b", value: 5 },
        { histograms: [{ name: "h", buckets: buckets(4, 6) }] },
      ],
    });
  });

  it("count what each worker finds by itself once, and take what the proxy is as a whole from the primary", () => {
    const worker = (healthy: number) =>
      json({
        stats: [
          { name: "cluster.a.membership_healthy", value: healthy },
          { name: "cluster.a.update_success", value: 7 },
          { name: "cluster.a.upstream_rq_total", value: 10 },
        ],
      });
    const sums = sumStats([worker(2), worker(3)], new Map([["server.live", 1]]));
    expect(Object.fromEntries(sums.values)).toEqual({
      "server.live": 1,
      "cluster.a.membership_healthy": 3,
      "cluster.a.update_success": 7,
      "cluster.a.upstream_rq_total": 20,
    });
  });

  it("have no histograms where no worker has one", () => {
    expect(statsJson(sumStats([json({ stats: [{ name: "a", value: 1 }] })]))).toBe(
      '{"stats":[{"name":"a","value":1}]}\n',
    );
  });
});

describe("/clusters of workers", () => {
  it("as text: counters of the same host are summed, the rest is the first worker's", () => {
    const text = (total: number, weight: number) =>
      [
        "c::observability_name::c",
        "c::default_priority::max_requests::1024",
        `c::[::1]:80::rq_total::${total}`,
        `c::[::1]:80::weight::${weight}`,
        "c::[::1]:80::hostname::rq_total",
        "",
      ].join("\n");
    const other = `c::[::1]:81::rq_total::7\n${text(30, 9)}`;
    expect(sumClustersText([text(12, 1), other])).toBe(text(42, 1));
  });

  it("as JSON: the same", () => {
    const host = (port: number, total: string) => ({
      address: { socket_address: { address: "127.0.0.1", port_value: port } },
      stats: [{ name: "rq_total", value: total, type: "COUNTER" }],
      weight: port,
    });
    const clusters = (...hosts: unknown[]) => json({ cluster_statuses: [{ name: "c", host_statuses: hosts }] });
    const sum = sumClustersJson([clusters(host(1, "2"), host(2, "3")), clusters(host(2, "40"), host(3, "5"))]);
    expect(JSON.parse(sum)).toEqual(JSON.parse(clusters(host(1, "2"), host(2, "43"))));
  });
});

it("/listeners of workers have the connections of all", () => {
  const listeners = (a: number, b: number) =>
    json({
      listener_statuses: [
        { name: "a", status: "active", connections: a },
        { name: "b", status: "active", connections: b },
      ],
    });
  expect(JSON.parse(sumListenersJson([listeners(1, 2), listeners(10, 20)]))).toEqual(JSON.parse(listeners(11, 22)));
});

it("/memory of all processes is summed", () => {
  expect(JSON.parse(sumMemory(['{"allocated":"5","heap_size":"7"}', '{"allocated":"10","heap_size":"1"}']))).toEqual({
    allocated: "15",
    heap_size: "8",
  });
});
