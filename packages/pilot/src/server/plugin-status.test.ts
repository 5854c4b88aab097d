import { create } from "@bufbuild/protobuf";
import { SystemClock } from "@mixerless/clock";
import { type Node, NodeSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  PluginState,
  PluginStatusReportSchema,
  PluginStatusService,
} from "@mixerless/wire/mixerless/status/v1/plugin_status";
import {
  createReportClient,
  createXdsServer,
  grpcMethod,
  MapSource,
  type ReportClient,
  type XdsServerOptions,
} from "@mixerless/xds";
import { afterEach, describe, expect, it } from "vitest";
import { createPluginStatusService } from "./plugin-status-service.ts";
import { PluginStatuses } from "./plugin-statuses.ts";

const plugin = (own: object = {}) => ({
  ...{ name: "ns.p", place: "l/c/f", state: PluginState.ROLLED_BACK, digest: "d1", refusedDigest: "d2", since: 5n },
  lastError: { message: "unreachable", callback: "proxy_on_log", backtrace: ["0x1f - f"] },
  ...{ source: "oci://r/p:v1", version: "7", calls: 10n, traps: 1n, microsecondsPerCall: 1.5, memory: 65_536n },
  ...{ streams: 1n, failedStreams: 2n, bypassedStreams: 3n },
  ...own,
});
const report = (plugins: object[], leftOut = 0) => create(PluginStatusReportSchema, { plugins, leftOut });

describe("what the control plane keeps of plugins", () => {
  it("is the last report of each proxy, by name, until its stream ends", () => {
    const statuses = new PluginStatuses();
    const [old, other, again] = [{}, {}, {}];
    statuses.take(old, "b.ns", report([plugin({ name: "old" })]), 1);
    statuses.take(other, "a.ns", report([]), 2);
    statuses.take(again, "b.ns", report([plugin()]), 3);
    statuses.end(old);
    expect(statuses.list()).toEqual([
      { proxy: "a.ns", reportedAt: 2, leftOut: 0, plugins: [] },
      {
        ...{ proxy: "b.ns", reportedAt: 3, leftOut: 0 },
        plugins: [
          {
            ...{ name: "ns.p", place: "l/c/f", state: "rolled_back", digest: "d1", refusedDigest: "d2", since: 5 },
            lastError: { message: "unreachable", callback: "proxy_on_log", backtrace: ["0x1f - f"] },
            ...{ source: "oci://r/p:v1", version: "7", calls: 10, traps: 1, microsecondsPerCall: 1.5, memory: 65_536 },
            ...{ streams: 1, failedStreams: 2, bypassedStreams: 3 },
          },
        ],
      },
    ]);
    statuses.end(again);
    expect(statuses.list().map(({ proxy }) => proxy)).toEqual(["a.ns"]);
  });

  it("is bounded, whatever a proxy says", () => {
    const statuses = new PluginStatuses();
    const long = "x".repeat(100_000);
    const lastError = { message: long, callback: long, backtrace: Array.from({ length: 1000 }, () => long) };
    const large = plugin({ name: long, place: long, source: long, version: long, digest: long, state: 99, lastError });
    const many = Array.from({ length: 1000 }, () => large);
    statuses.take({}, "a.ns", report(many, 5), 1);
    const [kept] = statuses.list();
    expect([kept?.plugins.length, kept?.leftOut]).toEqual([200, 805]);
    expect(kept?.plugins[0]).toMatchObject({ state: "unspecified" });
    expect(JSON.stringify(kept?.plugins[0]).length).toBeLessThan(20_000);
  });
});

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const entry of open.splice(0)) await entry.close();
});

const node = (name: string, namespace = "ns"): Node =>
  create(NodeSchema, {
    id: `sidecar~127.0.0.1~${name}.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace, SERVICE_ACCOUNT: "sa" },
  });

async function setUp(own: { authenticate?: XdsServerOptions["authenticate"]; maxStreams?: number } = {}) {
  const clock = new SystemClock();
  const statuses = new PluginStatuses();
  const service = createPluginStatusService({ statuses, clock, authenticate: undefined, ...own });
  const server = createXdsServer({
    ...{ source: new MapSource(), clock, address: "127.0.0.1:0", services: [service(false)] },
  });
  open.push({ close: () => server.close(50) });
  const target = await server.start();
  let onEnd: (reason: string) => void = () => {};
  const connect = (who: Node | undefined): ReportClient<object[]> => {
    const method = grpcMethod(PluginStatusService.method.reportPlugins);
    const client = createReportClient<object[]>(
      { target, security: undefined, method },
      {
        clock,
        encode: (plugins, first) => ({ ...(first && who !== undefined ? { node: who } : {}), plugins }),
        onEnd: (reason) => onEnd(reason),
      },
    );
    open.unshift(client);
    return client;
  };
  const refusal = () =>
    new Promise<string>((resolve) => {
      onEnd = resolve;
    });
  /** Resolves when the page is as wanted. */
  const seen = async (fits: (list: ReturnType<PluginStatuses["list"]>) => boolean) => {
    while (!fits(statuses.list())) await new Promise((resolve) => setImmediate(resolve));
    return statuses.list();
  };
  return { connect, refusal, seen, statuses };
}

describe("the status service", () => {
  it("takes report after report of a stream, and forgets a proxy whose stream ends", async () => {
    const { connect, seen } = await setUp();
    const client = connect(node("a"));
    client.report([plugin()]);
    expect(await seen((list) => list.length > 0)).toMatchObject([{ proxy: "a.ns", plugins: [{ name: "ns.p" }] }]);
    client.report([plugin({ name: "ns.q" })]);
    client.report([plugin({ name: "ns.r" })]);
    await seen(([one]) => (one?.plugins[0] as { name?: string } | undefined)?.name === "ns.r");
    client.close();
    expect(await seen((list) => list.length === 0)).toEqual([]);
  });

  it("wants to know who tells, and that he is who he says", async () => {
    const authenticate = () => ({ names: ["spiffe://cluster.local/ns/ns/sa/sa"] });
    const { connect, refusal, seen, statuses } = await setUp({ authenticate });
    connect(undefined).report([plugin()]);
    expect(await refusal()).toContain("INVALID_ARGUMENT");
    connect(node("b", "other")).report([plugin()]);
    expect(await refusal()).toMatch(/UNAUTHENTICATED: .*namespace "other"/);
    expect(statuses.list()).toEqual([]);
    connect(node("a")).report([plugin()]);
    await seen((list) => list.length === 1);
  });

  it("refuses whom the mesh does not know, and more streams than it takes", async () => {
    const closed = await setUp({ authenticate: () => ({ code: 16, message: "beyond loopback TLS is needed" }) });
    closed.connect(node("a")).report([plugin()]);
    expect(await closed.refusal()).toContain("UNAUTHENTICATED: beyond loopback TLS is needed");
    const full = await setUp({ maxStreams: 1 });
    full.connect(node("a")).report([plugin()]);
    await full.seen((list) => list.length === 1);
    full.connect(node("b")).report([plugin()]);
    expect(await full.refusal()).toContain("RESOURCE_EXHAUSTED");
  });
});
