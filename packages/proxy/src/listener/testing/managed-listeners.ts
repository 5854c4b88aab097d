import { create } from "@bufbuild/protobuf";
import { VirtualClock } from "@mixerless/clock";
import { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { NetworkTerminal } from "../../network/network-filter.ts";
import type { IncomingConnection } from "../../transport/incoming-connection.ts";
import { socketAddress } from "../../transport/socket-address.ts";
import type { Transport } from "../../transport/transport.ts";
import type { ChainFactory } from "../create-chain.ts";
import { ListenerManager } from "../listener-manager.ts";

interface ChainSpec {
  name?: string;
  /** Stands for everything that the filters say. */
  content?: string;
  rds?: string;
  cluster?: string;
  match?: { destinationPort?: number };
}

export function listener(name: string, port: number, ...chains: ChainSpec[]): Listener {
  return create(ListenerSchema, {
    name,
    trafficDirection: name.startsWith("inbound") ? TrafficDirection.INBOUND : TrafficDirection.OUTBOUND,
    address: {
      address: {
        case: "socketAddress",
        value: { address: "127.0.0.1", portSpecifier: { case: "portValue", value: port } },
      },
    },
    filterChains: chains.map((chain) => ({
      name: chain.name ?? "",
      ...(chain.match === undefined ? {} : { filterChainMatch: chain.match }),
      filters: [{ name: `${chain.content ?? "x"}/${chain.rds ?? ""}/${chain.cluster ?? ""}` }],
    })),
  });
}

/** A connection as its filter chain sees it. */
class FakeTerminal implements NetworkTerminal {
  state: "open" | "draining" | "closed" = "open";
  readonly content: string;
  readonly #onClosed: () => void;

  constructor(content: string, onClosed: () => void) {
    this.content = content;
    this.#onClosed = onClosed;
  }
  drain(): void {
    this.state = "draining";
  }
  close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#onClosed();
  }
}

export function setUp() {
  const clock = new VirtualClock();
  const bound = new Map<string, (incoming: IncomingConnection) => void>();
  const busy = new Set<string>();
  const routes = new Set<string>();
  const cold = new Set<string>();
  const unready = new Set<string>();
  const terminals: FakeTerminal[] = [];
  const closedFactories: string[] = [];
  const closedSockets: string[] = [];
  const logged: string[] = [];
  const manager = new ListenerManager({
    clock,
    listen: async (address, onConnection) => {
      if (busy.has(address.text)) throw new Error("EADDRINUSE");
      bound.set(address.text, onConnection);
      const close = () => {
        bound.delete(address.text);
        closedSockets.push(address.text);
      };
      return { address, close };
    },
    createChain: (chain) => {
      const [content = "", rds = "", cluster = ""] = chain.filters[0]?.name.split("/") ?? [];
      if (content === "bad")
        return { ok: false, faults: [{ path: "filters[0].typedConfig.codecType", message: "HTTP3 is not supported" }] };
      const factory: ChainFactory = {
        tls: null,
        warming: false,
        get starting() {
          return unready.has(content);
        },
        routeConfigNames: rds === "" ? [] : [rds],
        clusterNames: cluster === "" ? [] : [cluster],
        create: (_context, onClosed) => {
          const terminal = new FakeTerminal(content, onClosed);
          terminals.push(terminal);
          return terminal;
        },
        close: () => closedFactories.push(content),
      };
      return { ok: true, value: factory };
    },
    compileAccessLogs: () => [],
    hasRoutes: (name) => routes.has(name),
    isWarming: (cluster) => cold.has(cluster),
    clusterPatience: 4000,
    pluginPatience: 15_000,
    drainTime: 45_000,
    log: (message) => logged.push(message),
  });
  const limits: (number | null)[] = [];
  const connect = (port: number): FakeTerminal | undefined => {
    const accept = bound.get(`127.0.0.1:${port}`);
    if (accept === undefined) return undefined;
    const before = terminals.length;
    accept({
      localAddress: socketAddress("127.0.0.1", port),
      remoteAddress: socketAddress("127.0.0.9", 5),
      plaintext: (_serverName, bufferLimit) => {
        limits.push(bufferLimit);
        return {} as Transport;
      },
      inspect: () => {},
      secure: () => {},
      destroy: () => {},
    });
    return terminals[before];
  };
  return {
    clock,
    bound,
    busy,
    routes,
    cold,
    unready,
    manager,
    connect,
    limits,
    closedFactories,
    closedSockets,
    logged,
  };
}
