import type { Server } from "node:http";
import { MapSource, TypeUrl } from "@mixerless/xds";
import { freePorts } from "../src/demo/address-plan.ts";
import { ControlledSidecar } from "./controlled-sidecar.ts";
import { fetchPage } from "./fetch-page.ts";
import { setCluster, setEndpoints, setListener, setRoutes, startOrigin } from "./small-mesh.ts";

const TYPED_STRUCT = "type.googleapis.com/xds.type.v3.TypedStruct";
/** Further listeners that are there at a time, and the ports that they take turns with. */
const EXTRA_LISTENERS = 3;
const EXTRA_PORTS = 8;
/** Kinds of change. */
const KINDS = 7;
/** Routes that are there at a time. */
const ROUTES = 10;

function typedStruct(name: string, type: string, value: object): object {
  return { name, typedConfig: { "@type": TYPED_STRUCT, typeUrl: `type.googleapis.com/${type}`, value } };
}

/** A client's sidecar and a server's sidecar, and a hand that never stops changing their configuration. */
export class Churn {
  readonly door: string;
  readonly #client: ControlledSidecar;
  readonly #server: ControlledSidecar;
  readonly #origins: readonly Server[];
  readonly #originPorts: readonly number[];
  /** Two ports of the server's sidecar. */
  readonly #inbound: readonly [number, number];
  readonly #doorPort: number;
  readonly #extraPorts: readonly number[];
  readonly #extra: Promise<number>[] = [];
  #changes = 0;
  #chain = 0;
  #labels = 0;
  #clusters = 0;

  private constructor(parts: {
    client: ControlledSidecar;
    server: ControlledSidecar;
    origins: readonly Server[];
    originPorts: readonly number[];
    inbound: readonly [number, number];
    doorPort: number;
    extraPorts: readonly number[];
  }) {
    this.#client = parts.client;
    this.#server = parts.server;
    this.#origins = parts.origins;
    this.#originPorts = parts.originPorts;
    this.#inbound = parts.inbound;
    this.#doorPort = parts.doorPort;
    this.#extraPorts = parts.extraPorts;
    this.door = `http://127.0.0.1:${parts.doorPort}/`;
  }

  static async start(): Promise<Churn> {
    const [one, two] = await Promise.all([startOrigin("one"), startOrigin("two")]);
    const [doorPort = 0, a = 0, b = 0, ...extraPorts] = await freePorts(3 + EXTRA_PORTS);
    const clientSource = new MapSource();
    const serverSource = new MapSource();
    const originPorts = [one.port, two.port];
    setCluster(serverSource, "origin", originPorts);
    setRoutes(serverSource, "in", { origin: 1 });
    setCluster(clientSource, "blue-0", [a]);
    setCluster(clientSource, "green", [b]);
    setRoutes(clientSource, "out", { "blue-0": 50, green: 50 });
    for (const [name, port] of [
      ["in-a", a],
      ["in-b", b],
    ] as const)
      setInbound(serverSource, name, port, 0, 0);
    setOutbound(clientSource, "door", doorPort, 0, 0);
    const [client, server] = await Promise.all([
      ControlledSidecar.start("client", clientSource),
      ControlledSidecar.start("server", serverSource),
    ]);
    for (const sidecar of [client, server]) sidecar.source.takeChanges();
    const origins = [one.server, two.server];
    return new Churn({ client, server, origins, originPorts, inbound: [a, b], doorPort, extraPorts });
  }

  /** Makes the next change: one of the kinds, in turn. */
  async change(): Promise<void> {
    const round = Math.floor(this.#changes / KINDS);
    switch (this.#changes++ % KINDS) {
      case 0:
        this.#setRoutes(1 + (round % 99));
        break;
      case 1:
        this.#addRoute(round);
        break;
      case 2:
        await this.#addListener(round);
        break;
      case 3:
        this.#moveEndpoints(round);
        break;
      case 4:
        this.#chain++;
        this.#setChains();
        break;
      case 5:
        this.#labels++;
        this.#setChains();
        break;
      case 6:
        this.#replaceCluster();
        break;
    }
    this.#client.push();
    this.#server.push();
  }

  /** Requests that went through listeners which came and went. */
  async extraRequests(): Promise<number> {
    return (await Promise.all(this.#extra)).reduce((sum, count) => sum + count, 0);
  }

  get refusals(): string[] {
    return [...this.#client.refusals, ...this.#server.refusals];
  }

  /** What both ends have counted, once the last of `expected` streams has been reported. */
  async counted(expected: number): Promise<{ source: Record<string, number>; destination: Record<string, number> }> {
    for (;;) {
      const [source, destination] = await Promise.all([this.#client.requests(), this.#server.requests()]);
      if (total(source) >= expected && total(destination) >= expected) return { source, destination };
    }
  }

  async labelSets(): Promise<number> {
    return await this.#client.labelSets();
  }

  /** Resident memory of both sidecars in MiB. */
  async memory(): Promise<number> {
    const [client, server] = await Promise.all([this.#client.memory(), this.#server.memory()]);
    return client + server;
  }

  async report(requests: number): Promise<string> {
    const [client, server] = await Promise.all([this.#client.memory(), this.#server.memory()]);
    const sets = await this.labelSets();
    return `${requests} requests, ${this.#changes} changes, ${sets} label sets, resident: client ${client.toFixed(1)} MiB, server ${server.toFixed(1)} MiB`;
  }

  async close(): Promise<void> {
    await Promise.all([this.#client.close(), this.#server.close()]);
    for (const origin of this.#origins) origin.close();
  }

  get #blue(): string {
    return `blue-${this.#clusters}`;
  }

  #setRoutes(blue: number, prefixes: readonly string[] = []): void {
    setRoutes(this.#client.source, "out", { [this.#blue]: blue, green: 100 - blue }, prefixes);
  }

  /** A new cluster, the routes that name it and the end of the one before, all in one push. */
  #replaceCluster(): void {
    const { source } = this.#client;
    const before = this.#blue;
    this.#clusters++;
    setCluster(source, this.#blue, this.#inbound);
    this.#setRoutes(50);
    source.delete(TypeUrl.cluster, before);
    source.delete(TypeUrl.endpoint, before);
  }

  #addRoute(round: number): void {
    const first = Math.max(0, round - ROUTES + 1);
    const prefixes = Array.from({ length: round - first + 1 }, (_, i) => `/r${first + i}/`);
    this.#setRoutes(50, prefixes);
  }

  async #addListener(round: number): Promise<void> {
    const name = `extra-${round}`;
    const port = this.#extraPorts[round % EXTRA_PORTS] ?? 0;
    setOutbound(this.#client.source, name, port, this.#chain, this.#labels);
    await this.#extra[round - EXTRA_LISTENERS];
    this.#client.source.delete(TypeUrl.listener, `extra-${round - EXTRA_LISTENERS}`);
    this.#extra.push(this.#tryListener(name, port));
  }

  /** One request through a new listener as soon as it accepts; it stays until three more have come. */
  async #tryListener(name: string, port: number): Promise<number> {
    while (!(await this.#client.listeners()).includes(name)) await new Promise((wake) => setImmediate(wake));
    const { status } = await fetchPage(`http://127.0.0.1:${port}/`);
    if (status !== 200) throw new Error(`${name} answered ${status}`);
    return 1;
  }

  #moveEndpoints(round: number): void {
    const [a, b] = this.#inbound;
    const choices = [[a], [a, b], [b]];
    setEndpoints(this.#client.source, this.#blue, choices[round % 3] ?? []);
    setEndpoints(this.#client.source, "green", choices[(round + 1) % 3] ?? []);
    const [one = 0, two = 0] = this.#originPorts;
    setEndpoints(this.#server.source, "origin", [[one, two], [one], [two]][round % 3] ?? []);
  }

  /** Both ends: changing a filter of a chain changes the chain. */
  #setChains(): void {
    setOutbound(this.#client.source, "door", this.#doorPort, this.#chain, this.#labels);
    const [a, b] = this.#inbound;
    setInbound(this.#server.source, "in-a", a, this.#chain, this.#labels);
    setInbound(this.#server.source, "in-b", b, this.#chain, this.#labels);
  }
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function setOutbound(source: MapSource, name: string, port: number, chain: number, labels: number): void {
  setListener(source, name, port, "out", {
    direction: "OUTBOUND",
    manager: { serverName: `generation-${chain}` },
    filters: telemetry("upstream", labels),
  });
}

function setInbound(source: MapSource, name: string, port: number, chain: number, labels: number): void {
  setListener(source, name, port, "in", {
    direction: "INBOUND",
    manager: { serverName: `generation-${chain}` },
    filters: telemetry("downstream", labels),
  });
}

function telemetry(side: "upstream" | "downstream", labels: number): object[] {
  const discovery = { [`${side}_discovery`]: [{ istio_headers: {} }, { workload_discovery: {} }] };
  const exchange = { ...discovery, [`${side}_propagation`]: [{ istio_headers: {} }] };
  const metrics = labels === 0 ? [] : [{ dimensions: { [`generation_${labels}`]: "'x'" } }];
  return [
    typedStruct("istio.metadata_exchange", "io.istio.http.peer_metadata.Config", exchange),
    typedStruct("istio.stats", "stats.PluginConfig", { metrics, disable_host_header_fallback: true }),
  ];
}
