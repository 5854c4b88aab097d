import { VirtualClock } from "@mixerless/clock";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import type { ProxyConnection, ProxySession, RefusedStream, ResourceSource } from "@mixerless/xds";
import { describe, expect, it } from "vitest";
import { ConfigStore } from "../config/config-store.ts";
import { JoinedWorkloads } from "./joined-workloads.ts";
import { JoiningSource } from "./joining-source.ts";

const CONNECTION = {} as ProxyConnection;

function node(instance: string | null, servicePort: unknown = 8080, reportsHealth = false): Node {
  const join = { instance, service: "web", servicePort, application: "127.0.0.1:4000", calls: [], reportsHealth };
  const metadata = {
    NAMESPACE: "default",
    LABELS: { app: "web", version: "v1" },
    POD_PORTS: JSON.stringify([{ name: "http", containerPort: 8080 }]),
    ...(instance === null ? {} : { MIXERLESS_JOIN: join }),
  };
  return { id: "sidecar~127.0.20.1~web-v1.default~x", cluster: "web", metadata } as unknown as Node;
}

function setUp(answer: "session" | "refusal" = "session") {
  const events: string[] = [];
  const inner: ResourceSource = {
    open: (_node, id): ProxySession | RefusedStream => {
      events.push(`open ${id}`);
      if (answer === "refusal") return { code: 3, message: "no" };
      return { generate: () => undefined, onClose: () => events.push(`close ${id}`) };
    },
  };
  const joined = new JoinedWorkloads(new ConfigStore(), new VirtualClock(), 0);
  const source = new JoiningSource(inner, joined, () => events.push("joined"));
  const open = (id: string, of: Node) => source.open(of, id, CONNECTION);
  return { events, joined, source, open };
}

describe("a source that workloads join", () => {
  it("takes a workload in before it answers, and lets it go when its stream ends", () => {
    const { events, joined, open } = setUp();
    const session = open("c1", node("one"));
    expect(events).toEqual(["joined", "open c1"]);
    expect(joined.list()).toMatchObject([{ name: "web-v1", connected: true }]);
    (session as ProxySession).onClose();
    expect(events.at(-1)).toBe("close c1");
    expect(joined.list()).toMatchObject([{ name: "web-v1", connected: false }]);
  });

  it("hears how a workload is, and drops one at once that ends its stream when it is not well", () => {
    const { joined, open } = setUp();
    const session = open("c1", node("one", 8080, true)) as ProxySession;
    expect(joined.list()).toMatchObject([{ healthy: false }]);
    session.onHealth?.(true, "");
    expect(joined.list()).toMatchObject([{ healthy: true }]);
    session.onHealth?.(false, "the program has ended");
    session.onClose();
    expect(joined.list()).toEqual([]);
  });

  it("passes proxies on that join nothing", () => {
    const { events, joined, open } = setUp();
    open("c1", node(null));
    expect(events).toEqual(["open c1"]);
    expect(joined.list()).toEqual([]);
  });

  it("refuses a clash, and tells the refused one why when it asks", () => {
    const { events, source, open } = setUp();
    open("c1", node("one"));
    const refused = open("c2", node("two"));
    expect(refused).toMatchObject({ code: 3, message: expect.stringMatching(/^the name web-v1\.default is taken/) });
    expect(source.refusal("two")).toBe((refused as RefusedStream).message);
    expect(source.refusal("one")).toBeNull();
    expect(events).not.toContain("open c2");
  });

  it("refuses a broken offer", () => {
    expect(setUp().open("c1", node("one", "high"))).toMatchObject({
      message: "MIXERLESS_JOIN.servicePort must be a port",
    });
  });

  it("does not keep a workload whose stream is refused further in", () => {
    const { joined, open } = setUp("refusal");
    expect(open("c1", node("one"))).toMatchObject({ message: "no" });
    expect(joined.list()).toMatchObject([{ connected: false }]);
  });
});
