import { create } from "@bufbuild/protobuf";
import { VirtualClock } from "@mixerless/clock";
import { packAny } from "@mixerless/wire";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { TlsInspectorSchema } from "@mixerless/wire/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector";
import { beforeEach, describe, expect, it } from "vitest";
import type { NetworkTerminal } from "../network/network-filter.ts";
import type { FirstBytes, IncomingConnection, InspectionEnd } from "../transport/incoming-connection.ts";
import { socketAddress } from "../transport/socket-address.ts";
import type { Transport } from "../transport/transport.ts";
import type { ChainFactory } from "./create-chain.ts";
import { ListenerManager } from "./listener-manager.ts";

const ADDRESS = socketAddress("127.0.0.1", 80);
const DRAIN_TIME = 45_000;

function listener(content: string, inspected: boolean): Listener {
  const inspector = { case: "typedConfig", value: packAny(TlsInspectorSchema, create(TlsInspectorSchema)) } as const;
  return create(ListenerSchema, {
    name: "inbound",
    address: {
      address: {
        case: "socketAddress",
        value: { address: "127.0.0.1", portSpecifier: { case: "portValue", value: 80 } },
      },
    },
    listenerFilters: inspected ? [{ name: "envoy.filters.listener.tls_inspector", configType: inspector }] : [],
    filterChains: [{ filters: [{ name: content }] }],
  });
}

/** A connection of which the test says when its first bytes come and how its handshake ends. */
class SlowClient implements IncomingConnection {
  readonly localAddress = ADDRESS;
  readonly remoteAddress = socketAddress("127.0.0.9", 5);
  destroyed = false;
  say: (bytes: string) => void = () => {};
  leave: () => void = () => {};
  finishHandshake: () => void = () => {};
  failHandshake: () => void = () => {};
  readonly transport = { destroy: () => this.destroy() } as unknown as Transport;

  inspect(_timeout: number, take: FirstBytes, onEnd: (end: InspectionEnd) => void): void {
    this.say = (bytes) => {
      if (take(Buffer.from(bytes, "latin1"))) onEnd("seen");
    };
    this.leave = () => onEnd("gone");
  }

  plaintext(): Transport {
    return this.transport;
  }

  secure(...[, , onSecured, onFailed]: Parameters<IncomingConnection["secure"]>): void {
    this.finishHandshake = () => onSecured(this.transport);
    this.failHandshake = () => onFailed(new Error("the client is gone"));
  }

  destroy(): void {
    this.destroyed = true;
  }
}

describe("a listener that changes while a client is on its way in", () => {
  let clock: VirtualClock;
  let accept: (incoming: IncomingConnection) => void;
  let served: string[];
  let closed: string[];
  let manager: ListenerManager;

  beforeEach(() => {
    clock = new VirtualClock();
    served = [];
    closed = [];
    manager = new ListenerManager({
      clock,
      listen: async (address, onConnection) => {
        accept = onConnection;
        return { address, close: () => {} };
      },
      createChain: (chain) => {
        const content = chain.filters[0]?.name ?? "";
        const tls = content.startsWith("tls") ? ({ secure: () => {} } as unknown as ChainFactory["tls"]) : null;
        const create: ChainFactory["create"] = (_context, onClosed) => {
          served.push(content);
          const terminal: NetworkTerminal = { drain: () => served.push(`${content} drains`), close: onClosed };
          return terminal;
        };
        const factory = {
          tls,
          routeConfigNames: [],
          clusterNames: [],
          warming: false,
          starting: false,
          create,
          close: () => closed.push(content),
        };
        return { ok: true, value: factory };
      },
      compileAccessLogs: () => [],
      hasRoutes: () => true,
      isWarming: () => false,
      clusterPatience: 4000,
      pluginPatience: 15_000,
      drainTime: DRAIN_TIME,
      log: () => {},
    });
  });

  async function connectTo(content: string, inspected = false): Promise<SlowClient> {
    manager.set(listener(content, inspected));
    await manager.settled();
    const client = new SlowClient();
    accept(client);
    return client;
  }

  const CHANGES = [
    { what: "its chain is changed", change: () => manager.set(listener("tls two", false)) },
    {
      what: "it is removed",
      change: () => {
        manager.remove("inbound");
        manager.releaseSockets();
      },
    },
  ];

  describe.each(CHANGES)("during the handshake: $what", ({ change }) => {
    it("serves it on the chain before, and asks it to go with the first answer", async () => {
      const client = await connectTo("tls one");
      change();
      clock.advance(1000);
      expect(closed).toEqual([]);
      client.finishHandshake();
      expect(served).toEqual(["tls one", "tls one drains"]);
      expect(client.destroyed).toBe(false);
    });

    it("gives the chain before back when the handshake fails", async () => {
      const client = await connectTo("tls one");
      change();
      client.failHandshake();
      clock.advance(0);
      expect(closed).toEqual(["tls one"]);
      expect(served).toEqual([]);
    });

    it("waits for no handshake beyond the drain time", async () => {
      const client = await connectTo("tls one");
      change();
      clock.advance(DRAIN_TIME);
      expect(closed).toEqual(["tls one"]);
      client.finishHandshake();
      expect(served).toEqual([]);
      expect(client.destroyed).toBe(true);
    });
  });

  it("serves one whose first bytes come after the listener is gone", async () => {
    const client = await connectTo("clear", true);
    manager.remove("inbound");
    manager.releaseSockets();
    clock.advance(1000);
    expect(closed).toEqual([]);
    client.say("GET / HTTP/1.1\r\n");
    expect(served).toEqual(["clear", "clear drains"]);
    expect(client.destroyed).toBe(false);
  });

  it("gives the chain back when nothing comes any more", async () => {
    const client = await connectTo("clear", true);
    manager.remove("inbound");
    manager.releaseSockets();
    client.leave();
    clock.advance(0);
    expect(closed).toEqual(["clear"]);
    expect(client.destroyed).toBe(true);
  });

  it("serves nobody once the proxy closes", async () => {
    const client = await connectTo("clear", true);
    manager.close();
    client.say("GET / HTTP/1.1\r\n");
    expect(served).toEqual([]);
    expect(client.destroyed).toBe(true);
  });
});
