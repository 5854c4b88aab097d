import { connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { SystemClock } from "@mixerless/clock";
import { NodeSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import { DeltaDiscoveryRequestSchema } from "@mixerless/wire/envoy/service/discovery/v3/discovery";
import {
  createXdsClient,
  createXdsServer,
  type ResourceUpdate,
  type ServerObserver,
  TypeUrl,
  type XdsClient,
} from "@mixerless/xds";
import { afterEach, describe, expect, it } from "vitest";
import { ConfigStore } from "../config/config-store.ts";
import { readConfig } from "../config/read-config.ts";
import { createPushContext } from "../model/create-push-context.ts";
import { object, pod, service } from "../model/testing/push-of.ts";
import { PilotMetrics } from "../server/pilot-metrics.ts";
import { PilotSource } from "./pilot-source.ts";
import { Pusher } from "./pusher.ts";

const SERVICES = Number(process.env.MIXERLESS_FLEET_SERVICES ?? 10);
const CLIENTS = Number(process.env.MIXERLESS_FLEET_CLIENTS ?? 40);
const { cluster, endpoint, listener, route } = TypeUrl;

/** A proxy's side of the stream: everything is taken; what arrives is noted. */
class FleetClient {
  readonly client: XdsClient;
  #received: string[] = [];
  readonly #names = new Map<string, Set<string>>();

  constructor(target: string, index: number, clock: SystemClock, refuse = false) {
    this.client = createXdsClient({
      target,
      mode: index % 4 === 3 ? "sotw" : "delta",
      node: create(NodeSchema, {
        id: `sidecar~10.0.${index >> 8}.${index & 255}~client-${index}.default~default.svc.cluster.local`,
        metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default" },
        userAgentName: "mixerless",
      }),
      clock,
      onUpdate: (update) => {
        this.#take(update);
        return refuse ? update.resources.map(({ name }) => ({ name, message: "this client refuses everything" })) : [];
      },
      nameOf: () => "any",
    });
    this.client.start();
    this.client.subscribe(cluster, "*");
    this.client.subscribe(listener, "*");
    this.client.subscribe(route, new Set(["9080"]));
    const names = Array.from({ length: SERVICES }, (_, i) => `outbound|9080||s${i}.default.svc.cluster.local`);
    this.client.subscribe(endpoint, new Set(names));
  }

  /** Types since the last call, with the number of resources of each. */
  takeReceived(): string[] {
    const received = this.#received;
    this.#received = [];
    return received;
  }

  get complete(): boolean {
    return this.#names.size === 4;
  }

  get received(): number {
    return this.#received.length;
  }

  #take({ typeUrl, resources }: ResourceUpdate): void {
    this.#names.set(typeUrl, new Set(resources.map(({ name }) => name)));
    this.#received.push(typeUrl);
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

async function fleet(size: number) {
  const clock = new SystemClock();
  const store = new ConfigStore();
  const set = (name: string, manifest: unknown) =>
    store.apply([{ reading: readConfig({ file: `${name}.yaml`, text: JSON.stringify(manifest) }) }]);
  for (let i = 0; i < SERVICES; i++) {
    set(`s${i}`, service(`s${i}`));
    set(`p${i}`, pod(`s${i}-v1`, `10.9.${i >> 8}.${i & 255}`));
  }
  const metrics = new PilotMetrics(clock, "test");
  const source = new PilotSource(createPushContext(store.snapshot()), "native");
  const pusher = new Pusher(store, source, clock, metrics.pushObserver);
  store.subscribe((change) => pusher.note(change));
  /** Responses made for each proxy, by node id. */
  const sent = new Map<string, number>();
  const observer: ServerObserver = {
    ...metrics.observer,
    onSent: (connection, response) => {
      metrics.observer.onSent?.(connection, response);
      sent.set(connection.node.id, (sent.get(connection.node.id) ?? 0) + 1);
    },
  };
  const xds = createXdsServer({ source, clock, address: "127.0.0.1:0", observer });
  const target = await xds.start();
  const clients = Array.from({ length: size }, (_, i) => new FleetClient(target, i, clock));
  await until(() => clients.every(({ complete }) => complete));
  await settle();
  for (const client of clients) client.takeReceived();
  /** Milliseconds until every client has got something, and what each got. */
  const push = async () => {
    const start = performance.now();
    pusher.push(xds);
    const pushed = performance.now() - start;
    await until(() => clients.every(({ received }) => received > 0));
    const all = performance.now() - start;
    await settle();
    return { pushed, all, types: new Set(clients.flatMap((client) => client.takeReceived())) };
  };
  const close = async () => {
    for (const { client } of clients) client.close();
    await xds.close(0);
    store.close();
    metrics.store.close();
  };
  return { set, push, pusher, xds, clients, sent, target, clock, close };
}

/** What is on its way arrives within a few turns of the loop. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe(`${CLIENTS} proxies of one control plane`, () => {
  const running: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((entry) => entry.close()));
  });

  it("are sent endpoints alone when an endpoint changes, routes alone for a VirtualService, nothing for what is none of theirs", async () => {
    const mesh = await fleet(CLIENTS);
    running.push(mesh);
    mesh.set("extra", pod("s1-v2", "10.8.0.1"));
    const endpoints = await mesh.push();
    expect([...endpoints.types]).toEqual([endpoint]);
    mesh.set(
      "vs",
      object("VirtualService", "s1", { hosts: ["s1"], http: [{ route: [{ destination: { host: "s2" } }] }] }),
    );
    const routes = await mesh.push();
    expect([...routes.types]).toEqual([route]);
    mesh.set("other", object("Namespace", "other", {}));
    mesh.set(
      "hidden",
      service("shop/hidden", {}, { metadata: { annotations: { "networking.istio.io/exportTo": "." } } }),
    );
    mesh.pusher.push(mesh.xds);
    await settle();
    expect(mesh.clients.flatMap((client) => client.takeReceived())).toEqual([]);
    if (process.env.MIXERLESS_FLEET_CLIENTS !== undefined) {
      const rss = Math.round(process.memoryUsage.rss() / 2 ** 20);
      console.log(JSON.stringify({ clients: CLIENTS, services: SERVICES, endpoints, routes, rss }));
    }
  }, 120_000);

  it("are sent listeners, and nothing else, when a Telemetry speaks for them; the others are sent nothing", async () => {
    const mesh = await fleet(CLIENTS);
    running.push(mesh);
    mesh.set("one", pod("client-1", "10.7.0.1"));
    mesh.pusher.push(mesh.xds);
    await settle();
    for (const client of mesh.clients) client.takeReceived();
    const overrides = [{ match: { metric: "REQUEST_COUNT" }, disabled: true }];
    const spec = { selector: { matchLabels: { app: "client", version: "1" } }, metrics: [{ overrides }] };
    mesh.set("telemetry", object("Telemetry", "t", spec));
    mesh.pusher.push(mesh.xds);
    await until(() => mesh.clients[1]?.received === 1);
    await settle();
    const got = mesh.clients.map((client) => client.takeReceived());
    expect(got).toEqual(mesh.clients.map((_, i) => (i === 1 ? [listener] : [])));
  }, 60_000);

  it("learn of a change although one refuses everything", async () => {
    const mesh = await fleet(4);
    running.push(mesh);
    const refusing = new FleetClient(mesh.target, 7, mesh.clock, true);
    running.push({ close: async () => refusing.client.close() });
    await until(() => refusing.complete);
    mesh.set("extra", pod("s1-v2", "10.8.0.1"));
    expect([...(await mesh.push()).types]).toEqual([endpoint]);
    await until(() => watches(mesh, "client-7").some(({ nacked }) => nacked !== null));
    const refused = watches(mesh, "client-7").find(({ nacked }) => nacked !== null);
    expect(refused?.state).toBe("error");
    expect(refused?.nacked?.message).toContain("this client refuses everything");
    expect(watches(mesh, "client-1").map(({ state }) => state)).not.toContain("error");
  }, 60_000);

  it("learn of every change although one reads nothing, for which nothing piles up", async () => {
    const mesh = await fleet(4);
    running.push(mesh);
    const id = "sidecar~10.0.9.9~client-9.default~default.svc.cluster.local";
    const close = openSilently(mesh.target, id);
    running.push({ close: async () => close() });
    await until(() => mesh.sent.has(id));
    await settle();
    const before = mesh.sent.get(id) ?? 0;
    for (let i = 1; i <= 30; i++) {
      mesh.set("extra", pod("s1-v2", `10.8.0.${i}`));
      expect([...(await mesh.push()).types]).toEqual([endpoint]);
    }
    expect((mesh.sent.get(id) ?? 0) - before).toBeLessThanOrEqual(1);
    expect(mesh.xds.connections().filter(({ node }) => node.id === id)).toHaveLength(1);
  }, 60_000);
});

/** A client that asks for everything and reads none of it: its connection takes one window of bytes and no more. */
function openSilently(target: string, id: string): () => void {
  const session = connect(`http://${target}`);
  const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  for (const error of [session, stream]) error.on("error", () => {});
  stream.pause();
  const node = create(NodeSchema, { id, metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default" } });
  const names = Array.from({ length: SERVICES }, (_, i) => `outbound|9080||s${i}.default.svc.cluster.local`);
  const wanted: readonly (readonly [string, string[]])[] = [
    [endpoint, names],
    [cluster, ["*"]],
    [listener, ["*"]],
  ];
  for (const [typeUrl, resourceNamesSubscribe] of wanted) {
    const message = create(DeltaDiscoveryRequestSchema, { node, typeUrl, resourceNamesSubscribe });
    const bytes = toBinary(DeltaDiscoveryRequestSchema, message);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(bytes.length, 1);
    stream.write(Buffer.concat([prefix, bytes]));
  }
  return () => session.destroy();
}

function watches(mesh: Awaited<ReturnType<typeof fleet>>, name: string) {
  const connection = mesh.xds.connections().find(({ node }) => node.id.includes(`~${name}.`));
  return connection?.status().watches ?? [];
}
