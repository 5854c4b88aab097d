import { create } from "@bufbuild/protobuf";
import { SystemClock } from "@mixerless/clock";
import { NodeSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import { afterEach, describe, expect, it } from "vitest";
import type { ResourceUpdate, Wanted } from "../src/client/client-protocol.ts";
import { createXdsClient, type XdsClient } from "../src/client/xds-client.ts";
import type { ResourceFault } from "../src/refusal.ts";
import { MapSource } from "../src/server/map-source.ts";
import type { ResourceSource } from "../src/server/resource-source.ts";
import { createXdsServer, type XdsServer } from "../src/server/xds-server.ts";
import { CDS, contentOf, EDS, resource } from "./resources.ts";

const clock = new SystemClock();
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const entry of open.splice(0)) await entry.close();
});

async function serve(source: ResourceSource, address = "127.0.0.1:0"): Promise<{ server: XdsServer; address: string }> {
  const server = createXdsServer({ source, clock, address });
  open.unshift({ close: () => server.close(50) });
  return { server, address: await server.start() };
}

/** A client that keeps what it is sent and can be waited for. */
function subscribe(
  target: string,
  mode: "delta" | "sotw",
  wanted: [string, Wanted][],
  refuse: (name: string) => string | null = () => null,
) {
  const held = new Map<string, string>();
  const updates: ResourceUpdate[] = [];
  let wake = () => {};
  const onUpdate = (update: ResourceUpdate): ResourceFault[] => {
    updates.push(update);
    const faults: ResourceFault[] = [];
    for (const { name, any } of update.resources) {
      const message = refuse(contentOf(any));
      if (message === null) held.set(name, contentOf(any));
      else faults.push({ name, message });
    }
    for (const name of update.removed) held.delete(name);
    setImmediate(() => wake());
    return faults;
  };
  const client: XdsClient = createXdsClient({
    target,
    mode,
    node: create(NodeSchema, { id: "sidecar~127.0.0.1~a.default~default.svc.cluster.local" }),
    clock,
    onUpdate,
    nameOf: (any) => new TextDecoder().decode(any.value.subarray(2, 2 + (any.value[1] ?? 0))),
    backoff: { initial: 10, maximum: 20 },
  });
  for (const [typeUrl, names] of wanted) client.subscribe(typeUrl, names);
  client.start();
  open.unshift(client);
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { client, held, updates, until };
}

describe.each(["delta", "sotw"] as const)("client and server over gRPC, %s", (mode) => {
  it("brings the client everything that it wants, then what changes, then what goes", async () => {
    const source = new MapSource();
    source.set("a", resource(CDS, "a", "1"));
    source.set("b", resource(CDS, "b", "1"));
    source.set("a", resource(EDS, "a", "10.0.0.1"));
    const { server, address } = await serve(source);
    const { held, until } = subscribe(address, mode, [[CDS, "*"]]);
    await until(() => held.get("a") === "1" && held.get("b") === "1");
    source.set("a", resource(CDS, "a", "2"));
    source.delete(CDS, "b");
    server.push(source.takeChanges());
    await until(() => held.get("a") === "2" && !held.has("b"));
  });

  it("lets a subscription grow from within an update", async () => {
    const source = new MapSource();
    source.set("a", resource(CDS, "a", "1"));
    source.set("a", resource(EDS, "a", "10.0.0.1"));
    const { address } = await serve(source);
    const { client, updates, until } = subscribe(address, mode, [[CDS, "*"]]);
    await until(() => updates.length > 0);
    client.subscribe(EDS, new Set(["a"]));
    await until(() => updates.some((update) => update.typeUrl === EDS && update.resources.length === 1));
  });

  it("tells the server which resource was refused and why, and keeps the others", async () => {
    const source = new MapSource();
    source.set("good", resource(CDS, "good", "1"));
    source.set("bad", resource(CDS, "bad", "poison"));
    const { server, address } = await serve(source);
    const { held, until } = subscribe(address, mode, [[CDS, "*"]], (content) =>
      content === "poison" ? "lb_policy: not supported" : null,
    );
    await until(() => held.has("good"));
    const nack = () =>
      server
        .connections()[0]
        ?.status()
        .watches.find((watch) => watch.typeUrl === CDS)?.nacked;
    while (nack() == null) await new Promise((resolve) => setImmediate(resolve));
    expect(JSON.stringify(nack())).toContain("bad: lb_policy: not supported");
    expect(held.has("bad")).toBe(false);
  });

  it("keeps what it has while the server is away, and catches up when it is back", async () => {
    const source = new MapSource();
    source.set("a", resource(CDS, "a", "1"));
    source.set("b", resource(CDS, "b", "1"));
    const first = await serve(source);
    const { held, until } = subscribe(first.address, mode, [[CDS, "*"]]);
    await until(() => held.size === 2);
    open.splice(open.length - 1);
    await first.server.close(10);
    expect([...held.keys()].sort()).toEqual(["a", "b"]);
    source.set("a", resource(CDS, "a", "2"));
    source.delete(CDS, "b");
    await serve(source, first.address);
    await until(() => held.get("a") === "2" && !held.has("b"));
  });

  it("tells every server how the workload is, the last word before the end of the stream included", async () => {
    const heard: string[] = [];
    let closed = () => {};
    const source = (name: string): ResourceSource => ({
      open: () => ({
        generate: () => new Map(),
        onHealth: (healthy, reason) => heard.push(`${name}: ${healthy} ${reason}`),
        onClose: () => closed(),
      }),
    });
    const untilHeard = async (count: number) => {
      while (heard.length < count) await new Promise((resolve) => setImmediate(resolve));
    };
    const first = await serve(source("first"));
    const { client } = subscribe(first.address, mode, [[CDS, "*"]]);
    client.reportHealth(true, "");
    await untilHeard(1);
    open.splice(open.length - 1);
    await first.server.close(10);
    await serve(source("second"), first.address);
    await untilHeard(2);
    const over = new Promise<void>((resolve) => {
      closed = resolve;
    });
    client.reportHealth(false, "the program has ended");
    await client.close();
    await over;
    expect(heard).toEqual(["first: true ", "second: true ", "second: false the program has ended"]);
  });
});
