import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import { MapSource } from "@mixerless/xds";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePorts } from "../src/demo/address-plan.ts";
import { ControlledSidecar } from "./controlled-sidecar.ts";
import { fetchPage } from "./fetch-page.ts";
import { Load } from "./load.ts";
import { setCluster, setEndpoints, setListener, setRoutes, startOrigin } from "./small-mesh.ts";

let origin: Server;
let client: ControlledSidecar;
const servers: ControlledSidecar[] = [];
let doorPort = 0;
let ports: readonly [number, number] = [0, 0];

/** It drains for as long as somebody is connected, so the test says how long. */
const DRAIN = { EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true", MINIMUM_DRAIN_DURATION: "0s" };

async function startServer(name: string, originPort: number, port: number): Promise<ControlledSidecar> {
  const source = new MapSource();
  setCluster(source, "origin", [originPort]);
  setRoutes(source, "in", { origin: 1 });
  setListener(source, "in", port, "in", { direction: "INBOUND" });
  return await ControlledSidecar.start(name, source, DRAIN);
}

beforeAll(async () => {
  const started = await startOrigin("served");
  origin = started.server;
  const [a = 0, b = 0, door = 0] = await freePorts(3);
  ports = [a, b];
  doorPort = door;
  const source = new MapSource();
  setCluster(source, "servers", ports);
  setRoutes(source, "out", { servers: 1 });
  setListener(source, "door", door, "out", { direction: "OUTBOUND" });
  servers.push(...(await Promise.all(ports.map((port, i) => startServer(`server-${i}`, started.port, port)))));
  client = await ControlledSidecar.start("client", source);
}, 60_000);

afterAll(async () => {
  await Promise.all([client, ...servers].map((sidecar) => sidecar?.close()));
  origin?.close();
}, 20_000);

it("a sidecar that is told to stop loses no request: it drains until its clients have been told", async () => {
  const [stopped] = servers as [ControlledSidecar];
  const load = new Load(`http://127.0.0.1:${doorPort}/`);
  await load.more(200);
  const waiting = connect(ports[0], "127.0.0.1");
  await once(waiting, "connect");
  stopped.signal("SIGTERM");
  await load.more(200);
  const { ip, statusPort, adminPort } = stopped.addresses;
  expect((await fetchPage(`http://${ip}:${statusPort}/healthz/ready`)).status).toBe(503);
  expect((await fetchPage(`http://${ip}:${adminPort}/ready`)).body).toBe("DRAINING\n");
  // It still takes those who do not know yet.
  expect((await fetchPage(`http://127.0.0.1:${ports[0]}/`)).body).toBe("served");
  setEndpoints(client.source, "servers", [ports[1]]);
  client.push();
  await load.more(200);
  waiting.destroy();
  expect(await stopped.ended()).toBe(0);
  await load.more(200);
  await load.stop();
  expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
}, 30_000);
