import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Agent, runAgent, type SidecarAddresses } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import { createXdsServer, MapSource, type XdsServer } from "@mixerless/xds";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePorts } from "../src/demo/address-plan.ts";
import { fetchPage } from "./fetch-page.ts";
import { IDENTITY, setCluster, setListener, setRoutes, sidecarAddresses, startOrigin } from "./small-mesh.ts";

const clock = new SystemClock();
const source = new MapSource();
const origins: Server[] = [];
const said: string[] = [];
let server: XdsServer | null = null;
let agent: Agent | null = null;
let addresses: SidecarAddresses;
let state = "";
let port = 0;
let discoveryPort = 0;

async function startServer(): Promise<void> {
  server = createXdsServer({ source, clock, address: `127.0.0.1:${discoveryPort}` });
  await server.start();
}

async function startSidecar(): Promise<void> {
  agent = await runAgent({
    identity: IDENTITY,
    addresses,
    environment: {},
    clock,
    log: (message) => said.push(message),
    version: "test",
    stateFolder: state,
    onStop: () => {},
    onQuit: () => {},
  });
}

const answer = async () => (await fetchPage(`http://127.0.0.1:${port}/`)).body;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "mixerless-state-"));
  [port = 0, discoveryPort = 0] = await freePorts(2);
  addresses = await sidecarAddresses(discoveryPort);
  for (const name of ["one", "two"]) {
    const origin = await startOrigin(name);
    origins.push(origin.server);
    setCluster(source, name, [origin.port]);
  }
  setRoutes(source, "door", { one: 1 });
  setListener(source, "entry", port, "door");
});

afterAll(async () => {
  await agent?.close();
  await server?.close(10);
  for (const origin of origins) origin.close();
  await rm(state, { recursive: true, force: true });
});

it("keeps the last good configuration in one file for its owner only", async () => {
  await startServer();
  await startSidecar();
  await agent?.whenReady;
  expect(await answer()).toBe("one");
  await agent?.close();
  const file = join(state, "configuration.cache");
  expect(((await stat(file)).mode & 0o777).toString(8)).toBe("600");
});

it("serves as before when it starts while the control plane is away, and says so", async () => {
  await server?.close(10);
  said.length = 0;
  await startSidecar();
  await agent?.whenReady;
  expect(await answer()).toBe("one");
  expect(said.join("\n")).toMatch(/The control plane at 127\.0\.0\.1:\d+ does not answer/);
  expect(said.join("\n")).toMatch(/serving the configuration of \d{4}-\d\d-\d\dT.*configuration\.cache/);
});

it("takes changes up once the control plane is back, and keeps those", async () => {
  setRoutes(source, "door", { two: 1 });
  await startServer();
  while ((await answer()) !== "two");
  await agent?.close();
  await server?.close(10);
  await startSidecar();
  await agent?.whenReady;
  expect(await answer()).toBe("two");
  await agent?.close();
});

it("says that a file is damaged, does not use it, and waits for the control plane", async () => {
  const file = join(state, "configuration.cache");
  await writeFile(file, (await readFile(file)).subarray(0, -1));
  said.length = 0;
  await startSidecar();
  while (!said.some((line) => line.includes("its checksum is wrong"))) await new Promise((wake) => setImmediate(wake));
  await expect(answer()).rejects.toThrow();
  expect(agent?.ready).toBe(false);
  await startServer();
  await agent?.whenReady;
  expect(await answer()).toBe("two");
});
