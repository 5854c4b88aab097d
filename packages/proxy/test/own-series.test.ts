import { once } from "node:events";
import { createServer, get, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { OPENMETRICS_FORMAT, parseExposition } from "@mixerless/metrics";
import { afterEach, beforeEach, expect, it } from "vitest";
import { decodeBootstrap } from "../src/index.ts";
import { WholeProxy } from "./whole-proxy.ts";

let origin: Server;
let proxy: WholeProxy;

beforeEach(async () => {
  origin = createServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
  await once(origin, "listening");
});

afterEach(async () => {
  await proxy.close();
  origin.close();
});

async function start(statsConfig?: object): Promise<void> {
  const { port } = origin.address() as AddressInfo;
  const bootstrap = statsConfig === undefined ? {} : { statsConfig };
  proxy = await WholeProxy.start({ originPort: port, clock: new VirtualClock(), bootstrap });
  const [response] = await once(get({ host: "127.0.0.1", port: proxy.port, agent: false }), "response");
  response.resume();
  await once(response, "end");
}

const only = (...patterns: object[]) => ({ statsMatcher: { inclusionList: { patterns } } });

it("shows its clusters and listeners under Envoy's names, with what they are called as a label", async () => {
  await start();
  const text = await proxy.exposed();
  expect(text).toContain(
    '# TYPE envoy_cluster_upstream_rq_total counter\nenvoy_cluster_upstream_rq_total{envoy_cluster_name="origin"} 1\n',
  );
  expect(text).toContain(
    '# TYPE envoy_cluster_membership_healthy gauge\nenvoy_cluster_membership_healthy{envoy_cluster_name="origin"} 1\n',
  );
  const address = `127.0.0.1_${proxy.port}`;
  expect(text).toContain(`envoy_listener_downstream_cx_total{envoy_listener_address="${address}"} 1\n`);
  expect(text).toContain("# TYPE envoy_server_live gauge\nenvoy_server_live 1\n");
  expect(text).toContain("envoy_cluster_manager_active_clusters 1\n");
  expect(text).toContain("envoy_http_downstream_rq_total{");
  expect(new Set(text.match(/^# TYPE \S+/gm)).size).toBe(text.match(/^# TYPE \S+/gm)?.length);
});

it("shows them in OpenMetrics, where a counter without _total is of unknown type", async () => {
  await start();
  const text = await proxy.exposed({ format: OPENMETRICS_FORMAT });
  expect(text).toContain("# TYPE envoy_cluster_upstream_rq counter\nenvoy_cluster_upstream_rq_total{");
  expect(text).toContain("# TYPE envoy_cluster_upstream_cx_connect_fail unknown\n");
  expect(text.match(/# EOF/g)).toHaveLength(1);
  expect(text.endsWith("# EOF\n")).toBe(true);
  expect(parseExposition(text)).toBeDefined();
});

it("shows only what the bootstrap includes, under the labels that it asks for", async () => {
  await start({
    statsTags: [{ tagName: "cluster_name" }],
    ...only({ prefix: "cluster.origin.upstream_rq" }, { suffix: "downstream_cx_active" }),
  });
  const names = (await proxy.exposed()).match(/^envoy_(?:cluster|listener|server)\S+/gm) ?? [];
  expect(names).toContain('envoy_cluster_upstream_rq_total{cluster_name="origin"}');
  expect(names.filter((name) => !name.startsWith("envoy_cluster_upstream_rq"))).toEqual([
    expect.stringMatching(/^envoy_listener_downstream_cx_active\{envoy_listener_address="127\.0\.0\.1_\d+"\}$/),
  ]);
});

it("shows all but what the bootstrap excludes, or nothing", async () => {
  await start({ statsMatcher: { exclusionList: { patterns: [{ prefix: "cluster." }] } } });
  expect(await proxy.exposed()).not.toMatch(/^envoy_cluster_(?!manager)/m);
  expect(await proxy.exposed()).toMatch(/^envoy_listener_/m);
  await proxy.close();
  await start({ statsMatcher: { rejectAll: true } });
  expect(await proxy.exposed()).not.toMatch(/^envoy_(?:cluster|listener|server)/m);
});

it("shows only what was ever counted where that is asked for, and only the metrics of a filter", async () => {
  await start();
  const used = await proxy.exposed({ usedOnly: true });
  expect(used).toContain("envoy_cluster_upstream_rq_total{");
  expect(used).not.toContain("envoy_cluster_upstream_cx_overflow");
  const some = await proxy.exposed({ filter: (name) => name.endsWith("_rq_total") });
  expect(some.match(/^# TYPE \S+/gm)?.every((line) => line.endsWith("_rq_total"))).toBe(true);
});

it("refuses a label that would have to be parsed out of names, by field", async () => {
  await start();
  const { faults } = decodeBootstrap({ statsConfig: { statsTags: [{ tagName: "a" }, { tagName: "cluster_name" }] } });
  expect(faults?.map((fault) => fault.path)).toEqual(["statsConfig.statsTags[0].tagName"]);
});
