import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { RunningProxy, runProxyCommand, startOrigin } from "./running-proxy.ts";

const origins: Awaited<ReturnType<typeof startOrigin>>[] = [];
let ports: number[] = [];
let proxy: RunningProxy | null = null;
let directory = "";

// Processes start here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "mixerless-proxy-"));
  for (const name of ["one", "two", "three"]) origins.push(await startOrigin(name));
  ports = origins.map((origin) => origin.port);
});
afterEach(async () => {
  await proxy?.stop();
  proxy = null;
});
afterAll(() => {
  rmSync(directory, { recursive: true });
  for (const origin of origins) origin.close();
});

async function start(sample: string, to = ports, edit?: (text: string) => string): Promise<RunningProxy> {
  proxy = await RunningProxy.start(sample, to, edit);
  return proxy;
}

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`http://${proxy?.address}${path}`, { headers, redirect: "manual" });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

describe("mixerless proxy -c", () => {
  it("serves a front proxy: prefixes, rewrites, redirects, weights, headers and direct answers", async () => {
    const running = await start("front-proxy.yaml");
    expect(await get("/catalogue/7")).toMatchObject({ status: 200, body: "three GET /7" });
    const moved = await get("/index.php");
    expect([moved.status, moved.headers.get("location")]).toEqual([302, `http://${running.address}/`]);
    expect(await get("/alive")).toMatchObject({ status: 200, body: "alive\n" });
    const preview = await get("/x", { "x-preview": "yes" });
    expect([preview.body, preview.headers.get("x-served-by")]).toEqual(["two GET /x", "front"]);
    const shops = new Map<string, number>();
    for (let i = 0; i < 300; i++) {
      const { body } = await get("/");
      shops.set(body, (shops.get(body) ?? 0) + 1);
    }
    expect([...shops.keys()].sort()).toEqual(["one GET /", "two GET /"]);
    expect(shops.get("one GET /")).toBeGreaterThan(200);
    const [first] = await running.lines(304);
    expect(first).toMatch(/^\[\d{4}-.*Z\] "GET \/catalogue\/7 HTTP\/1.1" 200 - 0 12 \d+ \d+ "127.0.0.1" "node" "/);
    const clusters = await (await fetch(`http://${running.admin}/clusters`)).text();
    expect(clusters).toContain("catalogue::127.0.0.1:");
  });

  it("passes TCP connections on and logs each", async () => {
    const echo = await listening(createServer((socket) => socket.pipe(socket)));
    const running = await start("tcp-proxy.yaml", [portOf(echo)]);
    const [host, port] = running.address.split(":");
    const socket = connect(Number(port), host);
    socket.end("hello");
    let answer = "";
    for await (const chunk of socket.setEncoding("utf8")) answer += chunk;
    expect(answer).toBe("hello");
    const [line] = await running.lines(1);
    expect(line).toMatch(/^TcpConnectionEnd in=5 out=5 flags=- to=(new|old)_machine$/);
    echo.close();
  });

  it("logs in JSON what failed, and nothing else", async () => {
    const running = await start("json-log.yaml", ports, (text) => text.replace("prefix: / }", "path: /there }"));
    await get("/there");
    await get("/nowhere?x=1", { "user-agent": "a very long name of a browser" });
    const [line = ""] = await running.lines(1);
    expect(JSON.parse(line)).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      request: { method: "GET", path: "/nowhere?x=1", agent: "a very long name of " },
      status: 404,
      flags: "NR",
      details: "route_not_found",
      bytes: [0, 0],
      duration: expect.any(Number),
    });
  });

  it("finds a cluster by name", async () => {
    await start("strict-dns.yaml");
    expect(await get("/a")).toMatchObject({ status: 200, body: "one GET /a" });
  });

  it("reports Istio's metrics with the native filters", async () => {
    const running = await start("istio-telemetry.json");
    await get("/", { host: "web" });
    const text = await (await fetch(`http://${running.admin}/stats/prometheus`)).text();
    const line = text.split("\n").find((one) => one.startsWith("istio_requests_total{"));
    expect(line).toContain('reporter="destination"');
    expect(line).toContain('source_workload="unknown"');
    expect(line).toContain('destination_workload="web",destination_workload_namespace="shop"');
    expect(line).toContain('destination_service="web.shop.svc.cluster.local"');
    expect(line).toMatch(/response_code="200".* 1$/);
  });

  it("reopens its logs on SIGUSR1", async () => {
    let path = "";
    const running = await start("json-log.yaml", ports, (text) => {
      path = join(directory, "access.log");
      return text.replace("path: /dev/stdout", `path: ${path}`).replace("default_value: 400", "default_value: 200");
    });
    await get("/first");
    await appeared(path, "/first");
    renameSync(path, `${path}.1`);
    running.signal("SIGUSR1");
    // The signal is taken between two requests at the latest.
    await get("/second");
    await appeared(path, "/second");
    expect(readFileSync(`${path}.1`, "utf8")).not.toContain("/second");
  });

  it("drains on SIGTERM: what is under way is answered, and it ends with 0", async () => {
    const slow = await listening(
      createServer((socket) => {
        socket.once("data", () => {
          proxy?.signal("SIGTERM");
          void proxy?.saying(/^Draining/m).then(() => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone"));
        });
      }),
    );
    const running = await start("json-log.yaml", [portOf(slow)]);
    expect(await get("/")).toMatchObject({ status: 200, body: "done" });
    expect(await running.ended()).toBe(0);
    slow.close();
  });
});

describe("mixerless proxy that cannot start", () => {
  it("ends with 1 and says which field of which line stands in the way", async () => {
    const file = join(directory, "envoy.yaml");
    writeFileSync(file, "admin: {}\nhds_config: {}\n");
    const { code, stdout, stderr } = await runProxyCommand("-c", file);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe(
      `mixerless: ${file} was refused; nothing listens.\n  ${file}:2: hdsConfig: is not supported by this data plane; remove it\n`,
    );
  });

  it("says which address is in use", async () => {
    const other = await listening(createServer());
    const tcp = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
    const file = join(directory, "envoy.yaml");
    writeFileSync(
      file,
      `static_resources:
  clusters: [{ name: c, load_assignment: { cluster_name: c } }]
  listeners:
    - name: web
      address: { socket_address: { address: 127.0.0.1, port_value: ${portOf(other)} } }
      filter_chains: [{ filters: [{ name: x, typed_config: { "@type": ${tcp}, stat_prefix: a, cluster: c } }] }]
`,
    );
    const { code, stderr } = await runProxyCommand("-c", file);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/listener web cannot bind 127.0.0.1:\d+: .*EADDRINUSE/);
  });
});

describe("mixerless proxy --mode validate", () => {
  it("says OK as Envoy does and ends without listening", async () => {
    const file = join(directory, "envoy.json");
    writeFileSync(file, '{"admin":{"address":{"socketAddress":{"address":"127.0.0.1","portValue":0}}}}');
    expect(await runProxyCommand("-c", file, "--mode", "validate")).toEqual({
      code: 0,
      stdout: `configuration '${file}' OK\n`,
      stderr: "",
    });
  });
});

async function listening(server: Server): Promise<Server> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It does not listen.");
  return address.port;
}

/** Waits for a line of a log file. */
async function appeared(path: string, text: string): Promise<void> {
  for (;;) {
    try {
      if (readFileSync(path, "utf8").includes(text)) return;
    } catch {
      // Not made yet.
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
