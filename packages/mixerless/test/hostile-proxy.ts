import { Agent, createServer, request as requestHttp, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createBootstrap } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import type { PluginReport } from "@mixerless/proxy";
import { TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { createXdsServer, MapSource, type XdsServer } from "@mixerless/xds";
import { freePorts } from "../src/demo/address-plan.ts";
import { fetchPage } from "./fetch-page.ts";
import { RunningProxy } from "./running-proxy.ts";
import { IDENTITY, IP, pack, setCluster, setListener, setRoutes, sidecarAddresses } from "./small-mesh.ts";

const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";

/** Listeners by what their plugin is. */
const DOORS = ["plain", "neighbour", "open", "closed"] as const;
type Door = (typeof DOORS)[number];

const POLICIES = { open: "FAIL_OPEN", closed: "FAIL_CLOSED" } as const;

/** Trailers pass only where somebody wants them. */
const TRAILERS = { httpProtocolOptions: { enableTrailers: true } };
const UPSTREAM_TRAILERS = {
  typedExtensionProtocolOptions: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicitHttpConfig: { httpProtocolOptions: { enableTrailers: true } },
    },
  },
};

/**
 * A proxy in a process of its own, with a control plane and an origin: a listener without a plugin, one with a plugin of
 * good manners, and one for each fail policy whose plugin changes. Plugins come by ECDS, as a WasmPlugin's do.
 */
export class HostileProxy {
  /** What requests carried that no client had sent. */
  readonly smuggled: string[] = [];
  readonly #source = new MapSource();
  readonly #ports = new Map<Door, number>();
  readonly #origin: Server;
  #control: XdsServer | null = null;
  #proxy: RunningProxy | null = null;

  private constructor() {
    this.#origin = createServer({ maxHeaderSize: 1024 * 1024 }, (request, response) => {
      if ("smuggled" in request.headers) this.smuggled.push(JSON.stringify(request.headers));
      request.resume().on("end", () => {
        response.writeHead(200, { trailer: "t" }).write("ser");
        response.addTrailers({ t: "1" });
        response.end("ved");
      });
    });
    // A plugin that never gets ready holds the thread until its fuel is used up: on a busy machine longer than the five
    // seconds after which Node would close a connection just when the proxy goes on.
    this.#origin.keepAliveTimeout = 120_000;
  }

  static async start(neighbour: Uint8Array): Promise<HostileProxy> {
    const world = new HostileProxy();
    await new Promise<void>((resolve) => world.#origin.listen(0, IP, resolve));
    const ports = await freePorts(DOORS.length);
    for (const [at, door] of DOORS.entries()) world.#ports.set(door, ports[at] ?? 0);
    const origin = (world.#origin.address() as AddressInfo).port;
    setCluster(world.#source, "origin", [origin], UPSTREAM_TRAILERS);
    setCluster(world.#source, "backend", [origin]);
    setRoutes(world.#source, "routes", { origin: 1 });
    world.#open("plain", null);
    world.#plugin("neighbour", neighbour, "FAIL_CLOSED");
    world.#open("neighbour", "neighbour");
    world.#control = createXdsServer({ source: world.#source, clock: new SystemClock(), address: `${IP}:0` });
    const [, port] = (await world.#control.start()).split(":");
    const bootstrap = createBootstrap(IDENTITY, await sidecarAddresses(Number(port)), {});
    world.#proxy = await RunningProxy.run(JSON.stringify(bootstrap), "bootstrap.json");
    await world.#compiled("neighbour");
    return world;
  }

  url(door: Door): string {
    return `http://${IP}:${this.#ports.get(door)}/`;
  }

  /** Gives both policies' listeners a plugin of this module; resolves when it is known to run, or not to. */
  async offer(name: string, module: Uint8Array): Promise<void> {
    for (const [door, policy] of Object.entries(POLICIES) as [keyof typeof POLICIES, string][]) {
      this.#plugin(`${name}.${door}`, module, policy);
      this.#open(door, `${name}.${door}`);
    }
    this.#control?.push(this.#source.takeChanges());
    for (const door of Object.keys(POLICIES)) await this.#compiled(`${name}.${door}`);
  }

  /** Takes the plugins away again. */
  async withdraw(): Promise<void> {
    for (const door of Object.keys(POLICIES) as Door[]) this.#open(door, null);
    this.#control?.push(this.#source.takeChanges());
  }

  /** Status of a request with body and trailers on a connection of its own; `broken`: its answer was not whole. */
  ask(door: Door): Promise<number | "broken"> {
    return new Promise((resolve) => {
      const headers = { "transfer-encoding": "chunked", trailer: "t" };
      const outgoing = requestHttp(this.url(door), { method: "POST", agent: false, headers }, (incoming) => {
        let body = "";
        incoming.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        incoming.on("error", () => resolve("broken"));
        incoming.on("end", () =>
          resolve(incoming.statusCode === 200 && body !== "served" ? "broken" : (incoming.statusCode ?? 0)),
        );
      });
      outgoing.on("error", () => resolve("broken"));
      outgoing.write("as");
      outgoing.addTrailers({ t: "1" });
      outgoing.end("ked");
    });
  }

  /** How a plugin is, as whoever operates the proxy sees it. */
  async plugin(name: string): Promise<PluginReport | undefined> {
    const { plugins } = JSON.parse(await this.#admin("/plugins")) as { plugins: PluginReport[] };
    return plugins.find((plugin) => plugin.name === name);
  }

  /** The series of a plugin with this name that are not 0, by what comes after its label. */
  async series(metric: string, plugin: string): Promise<Record<string, number>> {
    const found: Record<string, number> = {};
    const text = await this.#admin("/stats/prometheus");
    for (const [, label = "", value] of text.matchAll(
      new RegExp(`^${metric}\\{plugin="${plugin}",\\w+="(\\w+)"\\} (\\d+)$`, "gm"),
    ))
      found[label] = Number(value);
    return found;
  }

  async value(metric: string): Promise<number> {
    return Number(new RegExp(`^${metric}(?:\\{\\})? (\\d+)$`, "m").exec(await this.#admin("/stats/prometheus"))?.[1]);
  }

  async ready(): Promise<boolean> {
    return (await this.#admin("/ready")).trim() === "LIVE";
  }

  /** Bytes of the process. */
  async memory(): Promise<number> {
    const { total_physical_bytes: bytes } = JSON.parse(await this.#admin("/memory")) as Record<string, string>;
    return Number(bytes);
  }

  async close(): Promise<void> {
    await this.#proxy?.stop();
    await this.#control?.close(10);
    this.#origin.closeAllConnections();
    this.#origin.close();
  }

  /** A plugin is not there before its listener is, and it is compiled after that. */
  async #compiled(plugin: string): Promise<void> {
    while (["compiling", undefined].includes((await this.plugin(plugin))?.state))
      await new Promise((wake) => setImmediate(wake));
  }

  async #admin(path: string): Promise<string> {
    return (await fetchPage(`http://${this.#proxy?.admin}${path}`, new Agent())).body;
  }

  #plugin(name: string, module: Uint8Array, failurePolicy: string): void {
    const vmConfig = { vmId: name, code: { local: { inlineBytes: Buffer.from(module).toString("base64") } } };
    const typedConfig = { "@type": WASM, config: { name, failurePolicy, vmConfig } };
    this.#source.set(name, pack(TypedExtensionConfigSchema, { name, typedConfig }));
  }

  #open(door: Door, plugin: string | null): void {
    const discovery = {
      ...{ configSource: { ads: {}, resourceApiVersion: "V3" }, typeUrls: [WASM, RBAC] },
      ...{ applyDefaultConfigWithoutWarming: true, defaultConfig: { "@type": RBAC } },
    };
    const filters = plugin === null ? [] : [{ name: plugin, configDiscovery: discovery }];
    setListener(this.#source, door, this.#ports.get(door) ?? 0, "routes", { filters, manager: TRAILERS });
  }
}
