import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer as createHttpServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SystemClock } from "@mixerless/clock";
import { parseExposition } from "@mixerless/metrics";
import { createXdsServer, MapSource } from "@mixerless/xds";
import { afterEach, describe, expect, it, vi } from "vitest";
import { freePorts } from "../src/demo/address-plan.ts";
import { fetchPage } from "./fetch-page.ts";
import { RunningProxy, runProxyCommand, startOrigin } from "./running-proxy.ts";
import { setCluster, setListener, setRoutes, startOrigin as startNamedOrigin } from "./small-mesh.ts";

const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));

// Processes start here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 90_000 });

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Worker {
  readonly pid: number;
  readonly connections: number;
}

async function workersOf(admin: string): Promise<Worker[]> {
  const { body } = await fetchPage(`http://${admin}/server_info`);
  return (JSON.parse(body) as { workers: Worker[] }).workers;
}

/** Sum of a family's samples in the merged scrape. */
async function count(admin: string, name: string): Promise<number> {
  const parsed = parseExposition((await fetchPage(`http://${admin}/stats/prometheus`)).body);
  if (!("samples" in parsed)) throw new Error(`the merged series do not parse: ${JSON.stringify(parsed.faults)}`);
  return parsed.samples.filter((sample) => sample.name === name).reduce((sum, { value }) => sum + value, 0);
}

/** A client that keeps every connection open that it makes. */
class Client {
  readonly #agent = new Agent({ keepAlive: true });
  sent = 0;

  /** Sends so many at once, each over a connection of its own unless one is idle. */
  async burst(requests: number, address: string): Promise<void> {
    await Promise.all(Array.from({ length: requests }, () => this.#one(address)));
  }

  async #one(address: string): Promise<void> {
    this.sent++;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`http://${address}/`, { agent: this.#agent }, resolve).once("error", reject);
    });
    response.resume();
    await once(response, "end");
    expect(response.statusCode).toBe(200);
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Bursts on new connections until each worker has some. */
async function reachAll(client: Client, address: string, admin: string): Promise<Worker[]> {
  for (let open = 20; ; open += 20) {
    await client.burst(open, address);
    await reported(admin, (workers) => workers.reduce((sum, { connections }) => sum + connections, 0) === open);
    const workers = await workersOf(admin);
    if (workers.every(({ connections }) => connections > 0)) return workers;
  }
}

/** Asks until it holds. */
async function reported(admin: string, holds: (workers: readonly Worker[]) => boolean): Promise<void> {
  while (!holds(await workersOf(admin).catch(() => []))) await new Promise((resolve) => setImmediate(resolve));
}

describe("mixerless proxy --concurrency 2", () => {
  it("serves with both workers, counts exactly, and loses no count when one is killed", async () => {
    const origin = await startOrigin("one");
    ends.push(() => origin.close());
    const proxy = await RunningProxy.start("istio-telemetry.json", [origin.port], (text) => text, [
      ...["--concurrency", "2"],
    ]);
    ends.push(() => proxy.stop());
    const { address, admin } = proxy;
    const client = new Client();
    ends.push(() => client.close());
    const [first] = await reachAll(client, address, admin);
    expect(await count(admin, "envoy_http_downstream_cx_active")).toBeGreaterThan(0);
    expect(await count(admin, "istio_requests_total")).toBe(client.sent);
    expect(await count(admin, "istio_request_duration_milliseconds_count")).toBe(client.sent);
    const { body } = await fetchPage(`http://${admin}/clusters`);
    expect(body).toContain(`::rq_total::${client.sent}\n`);
    const stats = (await fetchPage(`http://${admin}/stats?filter=downstream_rq_total`)).body;
    expect(stats).toContain(`http.inbound_8080.downstream_rq_total: ${client.sent}\n`);
    const whole = (await fetchPage(`http://${admin}/stats?filter=membership_total|server.concurrency`)).body;
    expect(whole).toMatch(/^cluster\..*\.membership_total: 1$/m);
    expect(whole).toContain("server.concurrency: 2\n");
    client.close();

    process.kill(first?.pid ?? 0, "SIGKILL");
    await proxy.saying(/^Worker 1 \(pid \d+\) ended with signal SIGKILL; another one starts/m);
    const before = client.sent;
    expect(await count(admin, "istio_requests_total")).toBe(before);
    // Gauges are of those that live: all connections of the test are closed.
    await reported(admin, (workers) => workers.every(({ connections }) => connections === 0));
    expect(await count(admin, "envoy_http_downstream_cx_active")).toBe(0);
    await reported(admin, (workers) => workers.length === 2 && workers.every(({ pid }) => pid !== first?.pid));
    const another = new Client();
    ends.push(() => another.close());
    await reachAll(another, address, admin);
    expect(await count(admin, "istio_requests_total")).toBe(before + another.sent);
    await fetch(`http://${admin}/reset_counters`, { method: "POST" });
    expect(await count(admin, "istio_requests_total")).toBe(0);
  });

  it("drains both, lets open requests end, and leaves no process behind", async () => {
    const held: ServerResponse[] = [];
    const origin = createHttpServer((request, response) => {
      if (request.url === "/held") held.push(response);
      else response.end("now");
    }).listen(0, "127.0.0.1");
    ends.push(() => origin.close());
    await once(origin, "listening");
    const { port } = origin.address() as AddressInfo;
    const proxy = await RunningProxy.start("front-proxy.yaml", [port, port, port], undefined, [
      ...["--concurrency", "2", "--drain-time", "60s"],
    ]);
    ends.push(() => proxy.stop());
    const { address, admin } = proxy;
    const client = new Client();
    await reachAll(client, address, admin);
    const pids = (await workersOf(admin)).map(({ pid }) => pid);
    client.close();
    await reported(admin, (workers) => workers.every(({ connections }) => connections === 0));
    // On its way to a worker when the signal comes: the last report of that worker does not know of it.
    const open = [1, 2, 3, 4].map(() => fetchPage(`http://${address}/held`));
    while (held.length < open.length) await once(origin, "request");
    proxy.signal("SIGTERM");
    await proxy.saying(/Draining for up to 60 s/);
    await fetchPage(`http://${admin}/ready`);
    for (const response of held) response.end("then");
    for (const answer of open) expect(await answer).toEqual({ status: 200, body: "then" });
    expect(await proxy.ended()).toBe(0);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("lets every worker go on in a new file after a rotation by SIGUSR1, and resolves names in each", async () => {
    const origin = await startOrigin("one");
    ends.push(() => origin.close());
    const directory = mkdtempSync(join(tmpdir(), "mixerless-workers-"));
    ends.push(() => rmSync(directory, { recursive: true }));
    const file = join(directory, "access.log");
    const rotated = `${file}.1`;
    const edit = (text: string) =>
      text
        .replace("/dev/stdout", file)
        .replace("default_value: 400", "default_value: 200")
        .replace(
          /(\n {6}connect_timeout: 1s)(.*)address: 127\.0\.0\.1/s,
          "$1\n      type: STRICT_DNS$2address: localhost",
        )
        .concat("admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n");
    const proxy = await RunningProxy.start("json-log.yaml", [origin.port], edit, ["--concurrency", "2"]);
    ends.push(() => proxy.stop());
    const client = new Client();
    ends.push(() => client.close());
    await reachAll(client, proxy.address, proxy.admin);
    expect((await fetchPage(`http://${proxy.admin}/clusters`)).body).toContain("::hostname::localhost");
    const lines = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0);
    const written = async (count: number) => {
      while (lines(file) + lines(rotated) < count) await new Promise((resolve) => setImmediate(resolve));
    };
    await written(client.sent);
    renameSync(file, rotated);
    proxy.signal("SIGUSR1");
    // Until the signal has come to a worker, its lines go on into the old file; none is lost.
    let old = -1;
    while (lines(file) === 0 || lines(rotated) !== old) {
      old = lines(rotated);
      await client.burst(40, proxy.address);
      await written(client.sent);
    }
    expect(lines(file) + lines(rotated)).toBe(client.sent);
  });

  it("ends with the reason when a worker cannot bind", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    ends.push(() => other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const directory = mkdtempSync(join(tmpdir(), "mixerless-workers-"));
    ends.push(() => rmSync(directory, { recursive: true }));
    const file = join(directory, "envoy.yaml");
    const tcp = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
    const filters = `filters: [{ name: x, typed_config: { "@type": ${tcp}, stat_prefix: a, cluster: c } }]`;
    const address = `address: { socket_address: { address: 127.0.0.1, port_value: ${port} } }`;
    const clusters = "clusters: [{ name: c, load_assignment: { cluster_name: c } }]";
    writeFileSync(
      file,
      `static_resources: { ${clusters}, listeners: [{ name: web, ${address}, filter_chains: [{ ${filters} }] }] }`,
    );
    const { code, stderr } = await runProxyCommand("-c", file, "--concurrency", "2");
    expect(code).toBe(1);
    expect(stderr).toMatch(/listener web cannot bind 127.0.0.1:\d+: .*EADDRINUSE/);
  });
});

describe("mixerless agent --concurrency 2", () => {
  it("is one proxy to the control plane; workers follow changes, new ones too", async () => {
    const [xds = 0, admin = 0, status = 0, health = 0, prometheus = 0, port = 0] = await freePorts(6);
    const source = new MapSource();
    const server = createXdsServer({ source, clock: new SystemClock(), address: `127.0.0.1:${xds}` });
    await server.start();
    ends.push(() => server.close(10));
    for (const name of ["one", "two"]) {
      const origin = await startNamedOrigin(name);
      ends.push(() => origin.server.close());
      setCluster(source, name, [origin.port]);
    }
    setRoutes(source, "door", { one: 1 });
    setListener(source, "entry", port, "door");
    const child = agent({ xds, admin, status, health, prometheus });
    const ended = once(child, "exit");
    ends.push(() => child.kill("SIGKILL"));
    await once(child, "message");
    const answer = async () => (await fetchPage(`http://127.0.0.1:${port}/`)).body;
    const adminAddress = `127.0.0.1:${admin}`;
    expect(server.connections()).toHaveLength(1);
    expect(await answer()).toBe("one");

    setRoutes(source, "door", { two: 1 });
    server.push(source.takeChanges());
    while ((await answer()) !== "two");
    // Workers that start now have never seen the first route.
    const old = await workersOf(adminAddress);
    for (const { pid } of old) process.kill(pid, "SIGKILL");
    const pids = old.map(({ pid }) => pid);
    await reported(adminAddress, (now) => now.length === 2 && now.every(({ pid }) => !pids.includes(pid)));
    let body = "";
    while (body === "") body = await answer().catch(() => "");
    expect(body).toBe("two");
    expect(server.connections()).toHaveLength(1);
    const merged = (await fetchPage(`http://127.0.0.1:${status}/stats/prometheus`)).body;
    expect(merged).toContain("istio_agent_scrapes_total 1");
    expect("samples" in parseExposition(merged)).toBe(true);
    // Of the proxy's own numbers what Istio shows: one stream to the control plane, however many processes.
    expect(merged).toContain('envoy_cluster_upstream_cx_active{cluster_name="xds-grpc"} 1\n');
    expect(merged).toContain("envoy_server_concurrency 2\n");
    expect(merged).toContain("envoy_server_live 1\n");
    expect(merged).not.toContain('cluster_name="agent"');
    expect((await fetchPage(`http://127.0.0.1:${prometheus}/stats/prometheus`)).status).toBe(200);
    // Ready when the second of the new workers is, too.
    while ((await fetchPage(`http://127.0.0.1:${health}/healthz/ready`)).status !== 200);

    const last = await workersOf(adminAddress);
    const bye = await fetch(`http://${adminAddress}/quitquitquit`, { method: "POST" });
    expect([bye.status, await bye.text()]).toEqual([200, "OK\n"]);
    expect(await ended).toEqual([0, null]);
    for (const { pid } of last) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("keeps the last configuration on disk for all, drains both, and ends after its drain", async () => {
    const [xds = 0, admin = 0, status = 0, health = 0, prometheus = 0, port = 0] = await freePorts(6);
    const source = new MapSource();
    const server = createXdsServer({ source, clock: new SystemClock(), address: `127.0.0.1:${xds}` });
    await server.start();
    const origin = await startNamedOrigin("one");
    ends.push(() => origin.server.close());
    setCluster(source, "one", [origin.port]);
    setRoutes(source, "door", { one: 1 });
    setListener(source, "entry", port, "door");
    const folder = mkdtempSync(join(tmpdir(), "mixerless-workers-"));
    ends.push(() => rmSync(folder, { recursive: true }));
    const ports = { xds, admin, status, health, prometheus };
    const first = agent(ports, ["--state", folder]);
    const firstEnded = once(first, "exit");
    ends.push(() => first.kill("SIGKILL"));
    await once(first, "message");
    expect((await fetchPage(`http://127.0.0.1:${port}/`)).body).toBe("one");
    const adminAddress = `127.0.0.1:${admin}`;
    const answer = await fetch(`http://${adminAddress}/quitquitquit`, { method: "POST" });
    expect(await answer.text()).toBe("OK\n");
    expect(await firstEnded).toEqual([0, null]);
    await server.close(0);

    // Without its control plane: each worker has what the first one left.
    const second = agent(ports, ["--state", folder]);
    const ended = once(second, "exit");
    ends.push(() => second.kill("SIGKILL"));
    await once(second, "message");
    const client = new Client();
    ends.push(() => client.close());
    const workers = await reachAll(client, `127.0.0.1:${port}`, adminAddress);
    expect(workers).toHaveLength(2);

    await fetch(`http://${adminAddress}/drain_listeners?graceful&skip_exit`, { method: "POST" });
    expect((await fetchPage(`http://${adminAddress}/server_info`)).body).toContain('"state": "DRAINING"');
    // Each open connection is told to close with its next response, whichever worker has it.
    while ((await workersOf(adminAddress)).some(({ connections }) => connections > 0))
      await client.burst(40, `127.0.0.1:${port}`);
    const stop = await fetch(`http://127.0.0.1:${status}/quitquitquit`, { method: "POST" });
    expect(stop.status).toBe(200);
    expect(await ended).toEqual([0, null]);
    for (const { pid } of workers) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});

function agent(
  ports: Record<"xds" | "admin" | "status" | "health" | "prometheus", number>,
  state: readonly string[] = ["--no-state"],
): ChildProcess {
  const { xds, ...own } = ports;
  const flags = Object.entries(own).flatMap(([name, port]) => [`--${name}-port`, String(port)]);
  return spawn(
    process.execPath,
    [
      ...[COMMAND, "agent", "--name", "web", ...state, "--xds", `127.0.0.1:${xds}`],
      ...["--concurrency", "2", ...flags],
    ],
    {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: { ...process.env, TERMINATION_DRAIN_DURATION_SECONDS: "1" },
    },
  );
}
