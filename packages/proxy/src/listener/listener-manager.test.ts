import { describe, expect, it } from "vitest";
import { DrainSequence } from "./drain-sequence.ts";
import { listener, setUp } from "./testing/managed-listeners.ts";

describe("ListenerManager", () => {
  it("binds a listener at once when it waits for nothing", async () => {
    const { manager, connect } = setUp();
    expect(manager.set(listener("a", 80, { content: "one" }))).toEqual([]);
    await manager.settled();
    expect(connect(80)?.content).toBe("one");
    expect(manager.states).toMatchObject([{ name: "a", status: "active", connections: 1 }]);
  });

  it("gives each connection the buffer that the listener is configured with; changing that drains the ones before", async () => {
    const { manager, connect, limits } = setUp();
    manager.set(listener("a", 80, {}));
    await manager.settled();
    const before = connect(80);
    manager.set({ ...listener("a", 80, {}), perConnectionBufferLimitBytes: 4096 });
    connect(80);
    expect(limits).toEqual([null, 4096]);
    expect(before?.state).toBe("draining");
  });

  it("warms until its routes have arrived; the one before serves meanwhile", async () => {
    const { manager, connect, routes } = setUp();
    manager.set(listener("a", 80, { content: "old" }));
    await manager.settled();
    manager.set(listener("a", 80, { content: "new", rds: "80" }));
    expect(connect(80)?.content).toBe("old");
    expect(manager.routeNames).toEqual(new Set(["80"]));
    routes.add("80");
    manager.dependenciesChanged();
    expect(connect(80)?.content).toBe("new");
  });

  it("keeps the chains before until the clusters of the new ones are warm, but for no longer than its patience", async () => {
    const { manager, connect, cold, clock } = setUp();
    manager.set(listener("a", 80, { content: "old" }));
    await manager.settled();
    cold.add("new");
    manager.set(listener("a", 80, { content: "new", cluster: "new" }));
    expect(connect(80)?.content).toBe("old");
    expect(manager.states).toMatchObject([{ status: "warming" }]);
    cold.clear();
    manager.dependenciesChanged();
    expect(connect(80)?.content).toBe("new");
    cold.add("never");
    manager.set(listener("a", 80, { content: "newer", cluster: "never" }));
    clock.advance(3999);
    expect(connect(80)?.content).toBe("new");
    clock.advance(1);
    expect(connect(80)?.content).toBe("newer");
  });

  it("waits with new chains for filters that are starting, 15 s at most; a new listener doesn't", () => {
    const { manager, connect, unready, clock } = setUp();
    for (const content of ["one", "two", "three"]) unready.add(content);
    for (const content of ["one", "two"]) manager.set(listener("a", 80, { content }));
    clock.advance(14_999);
    expect(connect(80)?.content).toBe("one");
    clock.advance(1);
    manager.set(listener("a", 80, { content: "three" }));
    expect(connect(80)?.content).toBe("two");
    unready.clear();
    manager.dependenciesChanged();
    expect(connect(80)?.content).toBe("three");
  });

  it("leaves the connections of an unchanged chain alone and drains those of a changed one", async () => {
    const { manager, connect, clock, closedFactories } = setUp();
    const kept = { name: "kept", content: "kept", match: { destinationPort: 80 } };
    manager.set(listener("a", 80, kept, { name: "other", content: "old" }));
    await manager.settled();
    const stays = connect(80);
    manager.set(listener("a", 80, { ...kept, content: "changed" }, { name: "other", content: "old" }));
    const fresh = connect(80);
    expect(stays?.state).toBe("draining");
    expect(fresh).toMatchObject({ content: "changed", state: "open" });
    manager.set(listener("a", 80, { ...kept, content: "changed" }, { name: "other", content: "new" }));
    expect(fresh?.state).toBe("open");
    clock.advance(45_000);
    expect(stays?.state).toBe("closed");
    expect(fresh?.state).toBe("open");
    expect(closedFactories.sort()).toEqual(["kept", "old"]);
  });

  it("stops accepting when it is removed, and closes what is left after the drain time", async () => {
    const { manager, connect, clock, bound } = setUp();
    manager.set(listener("a", 80, {}));
    await manager.settled();
    const open = connect(80);
    manager.remove("a");
    manager.releaseSockets();
    expect(bound.size).toBe(0);
    expect(open?.state).toBe("draining");
    clock.advance(45_000);
    expect(open?.state).toBe("closed");
  });

  it("binds a new address before it gives the old one up", async () => {
    const { manager, connect, bound } = setUp();
    manager.set(listener("a", 80, {}));
    await manager.settled();
    manager.set(listener("a", 81, {}));
    expect(bound.has("127.0.0.1:80")).toBe(true);
    await manager.settled();
    await Promise.resolve();
    expect([...bound.keys()]).toEqual(["127.0.0.1:81"]);
    expect(connect(81)).toBeDefined();
  });

  it("says what a refused listener asks for, by field, and keeps the one before", async () => {
    const { manager, connect } = setUp();
    manager.set(listener("a", 80, { content: "good" }));
    await manager.settled();
    expect(manager.set(listener("a", 80, { content: "bad" }))).toEqual([
      { path: "filterChains[0].filters[0].typedConfig.codecType", message: "HTTP3 is not supported" },
    ]);
    expect(connect(80)?.content).toBe("good");
  });

  it("refuses two chains that match the same connections", () => {
    const { manager } = setUp();
    expect(manager.set(listener("a", 80, { name: "one" }, { name: "two" }))).toMatchObject([{ path: "filterChains" }]);
  });

  it("tries a taken address again until it is free, and says so once", async () => {
    const { manager, clock, busy, connect, logged } = setUp();
    busy.add("127.0.0.1:80");
    manager.set(listener("a", 80, {}));
    await manager.settled();
    expect(manager.states).toMatchObject([{ status: "failed", error: "EADDRINUSE" }]);
    await clock.advanceAsync(2500, 500);
    expect(logged).toHaveLength(1);
    busy.clear();
    await clock.advanceAsync(1000, 500);
    expect(manager.states).toMatchObject([{ status: "active", error: null }]);
    expect(connect(80)).toBeDefined();
  });

  it("gives a changed chain back with its last connection, not only after the drain time", async () => {
    const { manager, connect, clock, closedFactories } = setUp();
    manager.set(listener("a", 80, { content: "0" }));
    await manager.settled();
    const last = connect(80);
    for (let i = 1; i <= 100; i++) manager.set(listener("a", 80, { content: String(i) }));
    clock.advance(0);
    expect(closedFactories).toHaveLength(99);
    last?.close();
    expect(closedFactories).toHaveLength(99);
    clock.advance(0);
    expect(closedFactories).toHaveLength(100);
    expect(closedFactories).not.toContain("100");
    expect(clock.pending).toBe(0);
  });

  it("keeps the socket of an address whose listener is renamed in one update", async () => {
    const { manager, connect, closedSockets } = setUp();
    manager.set(listener("old", 80, { content: "old" }));
    await manager.settled();
    const open = connect(80);
    manager.remove("old");
    manager.set(listener("new", 80, { content: "new" }));
    manager.releaseSockets();
    expect(closedSockets).toEqual([]);
    expect(connect(80)?.content).toBe("new");
    expect(open?.state).toBe("draining");
    expect(manager.states).toMatchObject([{ name: "new", status: "active" }]);
  });

  it("serves at the old address for as long as the new one cannot be bound", async () => {
    const { manager, connect, busy, clock, bound } = setUp();
    manager.set(listener("a", 80, { content: "old" }));
    await manager.settled();
    busy.add("127.0.0.1:81");
    manager.set(listener("a", 81, { content: "new" }));
    await clock.advanceAsync(3000, 500);
    expect(manager.states).toMatchObject([{ status: "failed", error: "EADDRINUSE" }]);
    expect(connect(80)?.content).toBe("old");
    busy.clear();
    await clock.advanceAsync(1000, 500);
    expect([...bound.keys()]).toEqual(["127.0.0.1:81"]);
    expect(connect(81)?.content).toBe("new");
  });

  it("goes back to the old address without giving its socket up", async () => {
    const { manager, connect, busy, closedSockets } = setUp();
    manager.set(listener("a", 80, { content: "one" }));
    await manager.settled();
    busy.add("127.0.0.1:81");
    manager.set(listener("a", 81, { content: "two" }));
    await manager.settled();
    manager.set(listener("a", 80, { content: "three" }));
    await manager.settled();
    expect(closedSockets).toEqual([]);
    expect(connect(80)?.content).toBe("three");
    expect(manager.states).toMatchObject([{ status: "active", error: null }]);
  });

  it("closes draining connections too when the proxy closes", async () => {
    const { manager, connect, clock } = setUp();
    manager.set(listener("a", 80, { content: "old" }));
    await manager.settled();
    const old = connect(80);
    manager.set(listener("a", 80, { content: "new" }));
    manager.close();
    expect(old?.state).toBe("closed");
    expect(clock.pending).toBe(0);
  });
});

describe("/drain_listeners", () => {
  async function twoListeners() {
    const parts = setUp();
    parts.manager.set(listener("inbound", 80, {}));
    parts.manager.set(listener("outbound", 81, {}));
    await parts.manager.settled();
    const drain = new DrainSequence(parts.manager, parts.clock, 45_000);
    return { ...parts, drain };
  }

  it("stops accepting at once and leaves open connections alone", async () => {
    const { drain, connect, bound, manager } = await twoListeners();
    const open = connect(80);
    drain.begin({ scope: "all", graceful: false, skipExit: false });
    expect(bound.size).toBe(0);
    expect(open?.state).toBe("open");
    expect(manager.states.map(({ status }) => status)).toEqual(["stopped", "stopped"]);
    expect(drain.begun).toBe(true);
  });

  it("inboundonly leaves listeners of other directions alone", async () => {
    const { drain, connect } = await twoListeners();
    drain.begin({ scope: "inbound", graceful: false, skipExit: false });
    expect(connect(80)).toBeUndefined();
    expect(connect(81)?.state).toBe("open");
  });

  it("graceful asks old and new clients to go, and stops accepting after the drain time", async () => {
    const { drain, connect, clock, bound } = await twoListeners();
    const old = connect(80);
    drain.begin({ scope: "inbound", graceful: true, skipExit: false });
    expect(old?.state).toBe("draining");
    expect(connect(80)?.state).toBe("draining");
    expect(connect(81)?.state).toBe("open");
    clock.advance(44_999);
    expect(bound.size).toBe(2);
    clock.advance(1);
    expect([...bound.keys()]).toEqual(["127.0.0.1:81"]);
  });

  it("graceful reaches listeners that come or change while it lasts, and stops those that come after it", async () => {
    const { drain, connect, clock, manager, bound } = await twoListeners();
    drain.begin({ scope: "all", graceful: true, skipExit: false });
    manager.set(listener("inbound-late", 82, {}));
    manager.set(listener("inbound", 80, { content: "changed" }));
    await manager.settled();
    expect(connect(82)?.state).toBe("draining");
    expect(connect(80)?.state).toBe("draining");
    clock.advance(45_000);
    manager.set(listener("inbound-later", 83, {}));
    await manager.settled();
    expect(bound.size).toBe(0);
  });

  it("skip_exit goes on accepting; a second request changes nothing", async () => {
    const { drain, connect, clock } = await twoListeners();
    drain.begin({ scope: "all", graceful: true, skipExit: true });
    drain.begin({ scope: "all", graceful: true, skipExit: false });
    clock.advance(90_000);
    expect(connect(80)?.state).toBe("draining");
  });
});
