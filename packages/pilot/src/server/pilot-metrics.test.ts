import { VirtualClock } from "@mixerless/clock";
import { type ProxyConnection, TypeUrl } from "@mixerless/xds";
import { describe, expect, it } from "vitest";
import { pushOf, service } from "../model/testing/push-of.ts";
import { PilotMetrics } from "./pilot-metrics.ts";
import { PUSH_STATUS, pushStatus } from "./push-status.ts";

function setUp() {
  const clock = new VirtualClock();
  const metrics = new PilotMetrics(clock, "1.2.3");
  const series = () => {
    metrics.refresh();
    const lines = metrics.store.text().split("\n");
    return new Map(lines.filter((line) => !line.startsWith("#")).map((line) => line.split(" ") as [string, string]));
  };
  return { clock, metrics, series };
}

const connection = { node: { id: "sidecar~10.0.0.1~a.default~default.svc.cluster.local" } } as ProxyConnection;
const nack = (code: number) => ({ code, message: "no", resources: [], version: "1", nonce: "1", time: 0 });

describe("the control plane's own metrics", () => {
  it("count refusals by type, and by proxy and gRPC code", () => {
    const { metrics, series } = setUp();
    metrics.observer.onNack?.(connection, TypeUrl.cluster, nack(13));
    metrics.observer.onNack?.(connection, TypeUrl.cluster, nack(3));
    metrics.observer.onNack?.(connection, TypeUrl.route, null);
    metrics.observer.onNack?.(connection, TypeUrl.extensionConfig, nack(13));
    const found = [...series()].filter(([name]) => name.includes("reject"));
    const { id } = connection.node;
    expect(Object.fromEntries(found)).toMatchObject({
      'pilot_total_xds_rejects{type="cds"}': "2",
      'pilot_total_xds_rejects{type="rds"}': "1",
      'pilot_total_xds_rejects{type="ecds"}': "1",
      [`pilot_xds_cds_reject{node="${id}",err="Internal"}`]: "1",
      [`pilot_xds_cds_reject{node="${id}",err="InvalidArgument"}`]: "1",
      [`pilot_xds_rds_reject{node="${id}",err="Unknown"}`]: "1",
    });
  });

  it("show what is odd about a revision, and forget it with the next", () => {
    const { metrics, series } = setUp();
    metrics.pushStatus(pushStatus(pushOf([service("a"), service("b")]), []));
    expect(series().get("pilot_eds_no_instances")).toBe("2");
    expect([...series().keys()]).toEqual(expect.arrayContaining(Object.keys(PUSH_STATUS)));
    metrics.pushStatus(pushStatus(pushOf([]), []));
    expect(series().get("pilot_eds_no_instances")).toBe("0");
  });

  it("tell since when", () => {
    const { clock, series } = setUp();
    clock.advance(90_000);
    expect(series().get("istiod_uptime_seconds")).toBe("90");
  });
});
