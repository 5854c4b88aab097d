import { DeadlineWheel } from "@mixerless/clock";
import { decodeJson, formatFault } from "@mixerless/wire";
import { TcpProxySchema } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import { describe, expect, it } from "vitest";
import type { ExtensionTable } from "../../extension-host/extension.ts";
import { fakeHost } from "../../http/testing/fake-cluster.ts";
import { routesTo, TestProxy, textLog } from "../../http/testing/test-proxy.ts";
import { TestTransport } from "../../http/testing/test-transport.ts";
import type { ConnectionGate } from "../../network/connection-gate.ts";
import { FilterState } from "../../stream/filter-state.ts";
import { createTcpProxyFactory } from "./index.ts";

const LOG = textLog(
  "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_CLUSTER% %UPSTREAM_HOST% %PROTOCOL% %DURATION%",
);

function tcp(json: object = {}, extensions: ExtensionTable = {}, gates: readonly ConnectionGate[] = []) {
  const test = new TestProxy({ routeConfig: routesTo([]) }, { extensions });
  const decoded = decodeJson(TcpProxySchema, { statPrefix: "t", cluster: "c", accessLog: [LOG], ...json });
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join());
  const observers = Object.keys(extensions).map((name) => {
    const found = test.context.extensions.find("", name);
    const factory =
      found === null
        ? null
        : test.context.extensions.networkFilter(
            found,
            { $typeName: "google.protobuf.Any", typeUrl: "", value: new Uint8Array() },
            test.context.listener,
            "",
            [],
          );
    if (factory === null) throw new Error("no extension");
    return factory;
  });
  const made = createTcpProxyFactory(
    decoded.message,
    { ...test.context, wheel: new DeadlineWheel(test.clock, 1) },
    { gates, observers, exchange: null, filtered: false },
  );
  if (!made.ok) throw new Error(made.faults.map((fault) => fault.path).join());
  const factory = made.value;
  const accept = () => {
    const down = new TestTransport();
    let closed = 0;
    const filterState = new FilterState();
    const network = { transport: down, listener: test.context.listener, filterState, info: null, admission: null };
    const terminal = factory.create(network, () => closed++);
    return { down, terminal, closed: () => closed };
  };
  return { test, accept };
}

function joined(json: object = {}) {
  const { test, accept } = tcp(json);
  const cluster = test.clusters.add("c");
  const { down, terminal, closed } = accept();
  const up = new TestTransport();
  cluster.tcp[0]?.callbacks.onReady(up, fakeHost());
  return { test, cluster, down, up, terminal, closed };
}

describe("the TCP proxy", () => {
  it("joins the two connections, reading only once there is somewhere to send it", () => {
    const { test, accept } = tcp();
    const cluster = test.clusters.add("c");
    const { down } = accept();
    expect(down.paused).toBe(1);
    const up = new TestTransport();
    cluster.tcp[0]?.callbacks.onReady(up, fakeHost());
    expect(down.paused).toBe(0);
    down.receive("hello");
    up.receive("hi there");
    expect([up.sent, down.sent]).toEqual(["hello", "hi there"]);
  });

  it("passes half-closes, and logs when both sides have ended", () => {
    const { test, down, up, closed } = joined();
    down.receive("request");
    down.handler?.onEnd();
    expect([up.ended, down.ended]).toEqual([true, false]);
    test.clock.advance(5);
    up.receive("response");
    up.handler?.onEnd();
    expect(down.ended).toBe(true);
    up.handler?.onClose(null);
    expect(down.destroyed).toBe(false);
    down.handler?.onClose(null);
    expect([closed(), up.destroyed]).toEqual([1, false]);
    expect(test.log()).toEqual(["0 - 7 8 c 10.1.0.5:9080 - 5"]);
  });

  it("stops one side while the other is slow", () => {
    const { down, up } = joined();
    up.congested = true;
    down.receive("x");
    expect(down.paused).toBe(1);
    up.handler?.onDrain();
    expect(down.paused).toBe(0);
    down.congested = true;
    up.receive("y");
    expect(up.paused).toBe(1);
    down.handler?.onDrain();
    expect(up.paused).toBe(0);
  });

  it("ends the one where the other breaks", () => {
    const one = joined();
    one.up.handler?.onClose(new Error("ECONNRESET"));
    expect(one.down.destroyed).toBe(true);
    const two = joined();
    two.down.handler?.onClose(new Error("ECONNRESET"));
    expect(two.up.destroyed).toBe(true);
  });

  it("is marked where the upstream reset it", () => {
    const { up, down, test } = joined();
    up.handler?.onClose(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
    down.handler?.onClose(null);
    expect(test.log()[0]).toContain("0 UR ");
  });

  it.each([
    ["no-healthy-upstream", "UH"],
    ["overflow", "UO"],
    ["connect-failure", "UF,URX"],
    ["connect-timeout", "UF,URX"],
  ] as const)("closes where the pool says %s, %s", (reason, flags) => {
    const { test, accept } = tcp();
    const cluster = test.clusters.add("c");
    const { down } = accept();
    cluster.tcp[0]?.callbacks.onFailure(reason, null, "");
    expect(down.destroyed).toBe(true);
    down.handler?.onClose(null);
    expect(test.log()).toEqual([`0 ${flags} 0 0 c - - 0`]);
  });

  it("closes where there is no such cluster, NC", () => {
    const { test, accept } = tcp();
    const { down } = accept();
    expect(down.destroyed).toBe(true);
    down.handler?.onClose(null);
    expect(test.log()).toEqual(["0 NC 0 0 - - - 0"]);
  });

  it("tries as often as it is told", () => {
    const { test, accept } = tcp({ maxConnectAttempts: 3 });
    const cluster = test.clusters.add("c");
    const { down } = accept();
    for (let i = 0; i < 2; i++) cluster.tcp[i]?.callbacks.onFailure("connect-failure", fakeHost(), "refused");
    expect([cluster.tcp.length, down.destroyed]).toEqual([3, false]);
    cluster.tcp[2]?.callbacks.onFailure("connect-failure", fakeHost(), "refused");
    expect(down.destroyed).toBe(true);
    expect(cluster.outcomes).toHaveLength(3);
  });

  it("gives a connection up that is not there yet when the client goes", () => {
    const { test, accept } = tcp();
    const cluster = test.clusters.add("c");
    const { down, closed } = accept();
    down.handler?.onClose(new Error("gone"));
    expect([cluster.tcp[0]?.cancelled, closed()]).toEqual([true, 1]);
  });

  it("closes idle connections, but not those that still carry bytes", () => {
    const { test, down } = joined({ idleTimeout: "10s" });
    test.clock.advance(9000);
    down.receive("x");
    test.clock.advance(9000);
    expect(down.destroyed).toBe(false);
    test.clock.advance(1100);
    expect(down.destroyed).toBe(true);
  });

  it("closes what has lasted too long, DT", () => {
    const { test, down } = joined({ maxDownstreamConnectionDuration: "5s" });
    test.clock.advance(5010);
    expect(down.destroyed).toBe(true);
    down.handler?.onClose(null);
    expect(test.log()[0]).toContain("0 DT ");
  });

  it("goes on while it drains, and ends at the end of the drain", () => {
    const { down, up, terminal } = joined();
    terminal.drain();
    down.receive("x");
    expect([up.sent, down.destroyed]).toEqual(["x", false]);
    terminal.close();
    expect([down.destroyed, up.destroyed]).toEqual([true, true]);
  });

  it("chooses by weight and hashes by address", () => {
    const weighted = {
      clusters: [
        { name: "a", weight: 1 },
        { name: "c", weight: 3 },
      ],
    };
    const { test, accept } = tcp({ cluster: undefined, weightedClusters: weighted, hashPolicy: [{ sourceIp: {} }] });
    const cluster = test.clusters.add("c");
    accept();
    expect(cluster.tcp[0]?.context.hash).toEqual(expect.any(BigInt));
  });

  it("lets extensions watch, from the first byte to the log", () => {
    const calls: string[] = [];
    const extension = () => ({
      onConfigure: () => true,
      onTick: () => {},
      createStream: (host: { getNumber(property: { path: string[]; slot: number }, missing: number): number }) =>
        new Proxy(
          {},
          {
            get:
              (_target, name) =>
              (...args: unknown[]) => {
                const received = host.getNumber({ path: ["request", "total_size"], slot: 900 }, -1);
                calls.push(`${String(name)} ${args.join()} ${received}`);
                return 0;
              },
          },
        ),
    });
    const { test, accept } = tcp({}, { watcher: extension as never });
    const cluster = test.clusters.add("c");
    const { down } = accept();
    const up = new TestTransport();
    cluster.tcp[0]?.callbacks.onReady(up, fakeHost());
    down.receive("abc");
    up.receive("de");
    down.handler?.onClose(new Error("gone"));
    expect(calls).toEqual([
      "onNewConnection  0",
      "onDownstreamData 3,false 3",
      "onUpstreamData 2,false 3",
      "onDownstreamClose 2 3",
      "onDone  3",
      "onLog  3",
      "onDelete  3",
    ]);
  });

  it("dials nobody for a connection that a filter before it refuses, and says why", () => {
    const accessLog = [textLog("%CONNECTION_TERMINATION_DETAILS% %UPSTREAM_HOST%")];
    const refusals = [null, "rbac_access_denied_matched_policy[p]"];
    const { test, accept } = tcp({ accessLog }, {}, [
      { refusal: () => null },
      { refusal: () => refusals.shift() ?? null },
    ]);
    const cluster = test.clusters.add("c");
    accept();
    expect(cluster.tcp).toHaveLength(1);
    const { down, closed } = accept();
    expect([cluster.tcp.length, down.destroyed]).toEqual([1, true]);
    down.handler?.onClose(null);
    expect(closed()).toBe(1);
    expect(test.log()).toEqual(["rbac_access_denied_matched_policy[p] -"]);
  });
});
