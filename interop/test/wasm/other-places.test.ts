import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEmbedded } from "../envoy/embedded-proxy.ts";
import { EnvoyServer } from "../envoy/envoy-server.ts";
import { findProgram, freePort } from "../peers.ts";

const envoyProgram = findProgram("envoy");

/** Notes its callbacks, each as a letter and a number. */
function noting(): Uint8Array {
  const on = (name: string, parameters: number, body: string, result = "") =>
    `(func (export "proxy_on_${name}") (param ${"i32 ".repeat(parameters)}) ${result === "" ? "" : "(result i32)"} ${body} ${result})`;
  const note = (letter: string, digit: number) =>
    `(call $note (i32.const ${letter.charCodeAt(0)}) (local.get ${digit}))`;
  return assemble(
    moduleText(
      [
        `(func $note (param $letter i32) (param $digit i32)
          (i32.store8 (i32.const 2000) (local.get $letter))
          (i32.store8 (i32.const 2001) (i32.add (i32.const 48) (local.get $digit)))
          (drop (call $proxy_log (i32.const 2) (i32.const 2000) (i32.const 2))))`,
        on("new_connection", 1, note("n", 0), "(i32.const 0)"),
        on("downstream_data", 3, note("d", 1) + note("e", 2), "(i32.const 0)"),
        on("upstream_data", 3, note("u", 1) + note("v", 2), "(i32.const 0)"),
        on("downstream_connection_close", 2, note("D", 1)),
        on("upstream_connection_close", 2, note("U", 1)),
        on("log", 1, note("l", 0)),
      ].join(""),
    ),
  );
}

/** A TCP proxy with the module in front of it and as its log. */
function bootstrap(module: string, port: number, admin: number, backend: number): object {
  const type = (name: string) => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });
  const address = (portValue: number) => ({ socket_address: { address: "127.0.0.1", port_value: portValue } });
  const plugin = (name: string) => ({
    ...{ name, vm_config: { vm_id: name, runtime: "envoy.wasm.runtime.v8", code: { local: { filename: module } } } },
  });
  const logger = { ...type("access_loggers.wasm.v3.WasmAccessLog"), config: plugin("logger") };
  const proxy = {
    ...{ ...type("filters.network.tcp_proxy.v3.TcpProxy"), stat_prefix: "test", cluster: "backend" },
    access_log: [{ name: "logger", typed_config: logger }],
  };
  const filter = { ...type("filters.network.wasm.v3.Wasm"), config: plugin("filter") };
  const filters = [
    { name: "filter", typed_config: filter },
    { name: "tcp", typed_config: proxy },
  ];
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(backend) } }] }];
  const cluster = { name: "backend", type: "STATIC", connect_timeout: "1s" };
  return {
    admin: { address: address(admin) },
    static_resources: {
      listeners: [{ name: "tcp", address: address(port), filter_chains: [{ filters }] }],
      clusters: [{ ...cluster, load_assignment: { cluster_name: "backend", endpoints } }],
    },
  };
}

const open: (() => unknown)[] = [];
const lines: Record<string, () => string[]> = {};
const ports: Record<string, number> = {};

beforeAll(async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("data", () => socket.write("answer"));
    socket.on("end", () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const backend = (server.address() as AddressInfo).port;
  const folder = await mkdtemp(join(tmpdir(), "mixerless-places-"));
  open.push(
    () => rm(folder, { recursive: true }),
    () => server.close(),
  );
  const module = join(folder, "noting.wasm");
  await writeFile(module, noting());
  const log: string[] = [];
  const embedded = await startEmbedded(bootstrap(module, 0, 0, backend), (line) => log.push(line));
  open.push(() => embedded.close());
  ports.embedded = Number(embedded.listenerAddress("tcp")?.split(":")[1]);
  lines.embedded = () => log;
  if (envoyProgram === null) return;
  const [port, admin] = [await freePort(), await freePort()];
  const file = join(folder, "envoy.json");
  await writeFile(file, JSON.stringify(bootstrap(module, port, admin, backend)));
  const more = ["--component-log-level", "wasm:info"];
  const envoy = await EnvoyServer.start(envoyProgram, file, `http://127.0.0.1:${admin}`, more);
  open.push(() => envoy.stop());
  ports.envoy = port;
  lines.envoy = () => envoy.log.split("\n");
}, 60_000);

afterAll(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Asks, is answered, and ends first. False: the connection was closed before an answer. */
function talk(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let answered = false;
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.write("hello"));
    socket.on("data", () => {
      answered = true;
      socket.end();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answered));
    socket.on("end", () => socket.end());
  });
}

function notes(proxy: string): string {
  const found = lines[proxy]?.().flatMap((line) => /wasm log .*: ([a-zA-Z]\d)$/.exec(line)?.[1] ?? []) ?? [];
  return found.join(" ");
}

for (const proxy of ["embedded", "envoy"]) {
  describe.skipIf(proxy === "envoy" && envoyProgram === null)(
    `a plugin on connections and as their log: ${proxy}`,
    () => {
      test("hears of the same, in the same order", async () => {
        const port = ports[proxy] as number;
        // The module is compiled behind the listener's back; until then its connections fail.
        while (!(await talk(port))) await pause(20);
        // The stream of the filter is the second context in its VM; the logger is told in its root, the first.
        await expect.poll(() => notes(proxy)).toBe("n2 d5 e0 u6 v0 d0 e1 u0 v1 U0 D1 l2 l1");
      });
    },
  );
}
