import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEmbedded } from "../envoy/embedded-proxy.ts";
import { EnvoyServer } from "../envoy/envoy-server.ts";
import { findProgram, freePort, titled } from "../peers.ts";

const envoyProgram = findProgram("envoy");

const on = (callback: string, body: string) =>
  `(func (export "proxy_on_${callback}") (param i32 i32 i32) (result i32) ${body})`;
const TRAP = "(unreachable)";

/** What a plugin does, and the outcome of the first request: status and body, or that the stream was cut. */
const CASES: readonly (readonly [name: string, body: string, outcome: string])[] = [
  ["request_headers", on("request_headers", TRAP), "503 "],
  ["request_body", on("request_body", TRAP), "503 "],
  ["response_headers", on("response_headers", TRAP), "503 "],
  ["response_body_of_held_headers", on("response_headers", "(i32.const 1)") + on("response_body", TRAP), "503 "],
  ["response_body", on("response_body", TRAP), "cut"],
];

const address = (portValue: number) => ({ socket_address: { address: "127.0.0.1", port_value: portValue } });
const any = (name: string) => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });

/** A listener for each case, named after it. */
function bootstrap(folder: string, ports: readonly number[], admin: number, backend: number): object {
  const router = { name: "envoy.filters.http.router", typed_config: any("filters.http.router.v3.Router") };
  const listeners = CASES.map(([name], index) => ({
    name,
    address: address(ports[index] ?? 0),
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              ...any("filters.network.http_connection_manager.v3.HttpConnectionManager"),
              stat_prefix: name,
              http_filters: [
                {
                  name: "plugin",
                  typed_config: {
                    ...any("filters.http.wasm.v3.Wasm"),
                    config: {
                      name,
                      allow_on_headers_stop_iteration: true,
                      vm_config: {
                        vm_id: name,
                        runtime: "envoy.wasm.runtime.v8",
                        code: { local: { filename: join(folder, `${name}.wasm`) } },
                      },
                    },
                  },
                },
                router,
              ],
              route_config: {
                virtual_hosts: [
                  { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "backend" } }] },
                ],
              },
            },
          },
        ],
      },
    ],
  }));
  const cluster = {
    ...{ name: "backend", type: "STATIC", connect_timeout: "1s" },
    load_assignment: {
      cluster_name: "backend",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(backend) } }] }],
    },
  };
  return { admin: { address: address(admin) }, static_resources: { listeners, clusters: [cluster] } };
}

const open: (() => unknown)[] = [];
/** The names of Envoy's own series about Wasm, by proxy. */
let series: Record<"embedded" | "envoy", readonly string[]>;
let ports: Record<"embedded" | "envoy", readonly number[]>;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "mixerless-traps-"));
  open.push(() => rm(folder, { recursive: true }));
  for (const [name, body] of CASES) await writeFile(join(folder, `${name}.wasm`), assemble(moduleText(body)));
  const origin = createServer((incoming, response) => {
    incoming.resume().on("end", () => response.end("from upstream"));
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  open.push(() => origin.close());
  const backend = (origin.address() as AddressInfo).port;
  const none = CASES.map(() => 0);
  const embedded = await startEmbedded(bootstrap(folder, none, 0, backend));
  open.push(() => embedded.close());
  const own = CASES.map(([name]) => Number(embedded.listenerAddress(name)?.split(":")[1]));
  ports = { embedded: own, envoy: [] };
  // Modules are compiled behind the listeners' backs.
  while ((await embedded.plugins()).some(({ state }) => state === "compiling" || state === "fetching"))
    await new Promise((resolve) => setImmediate(resolve));
  series = { embedded: namesIn(embedded.metrics.text()), envoy: [] };
  if (envoyProgram === null) return;
  const [admin = 0, ...theirs] = await Promise.all([...none, 0].map(() => freePort()));
  const file = join(folder, "envoy.json");
  await writeFile(file, JSON.stringify(bootstrap(folder, theirs, admin, backend)));
  const envoy = await EnvoyServer.start(envoyProgram, file, `http://127.0.0.1:${admin}`);
  open.push(() => envoy.stop());
  ports = { embedded: own, envoy: theirs };
  series = { ...series, envoy: namesIn(await envoy.page("/stats/prometheus?filter=wasm")) };
}, 120_000);

afterAll(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function namesIn(text: string): string[] {
  return [...text.matchAll(/^# TYPE (envoy_wasm_\S+)/gm)].map(([, name = ""]) => name).sort();
}

/** Status and body, or "cut" where the connection ends before the body is whole. */
function send(port: number): Promise<string> {
  return new Promise((resolve) => {
    const call = request({ host: "127.0.0.1", port, method: "POST", path: "/" }, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
      response.on("error", () => resolve("cut"));
    });
    call.on("error", () => resolve("cut"));
    call.end("body");
  });
}

for (const proxy of ["embedded", "envoy"] as const) {
  const missing = proxy === "envoy" && envoyProgram === null;
  describe.skipIf(missing)(titled(`a trap that fails closed: ${proxy}`, [missing && "no envoy"]), () => {
    test.each(CASES.map(([name, , outcome], index) => [name, index, outcome] as const))(
      "in %s",
      async (_name, index, outcome) => {
        expect(await send(ports[proxy][index] ?? 0)).toBe(outcome);
      },
    );
  });
}

test.skipIf(envoyProgram === null)(
  titled("series about Wasm: the same names", [envoyProgram === null && "no envoy"]),
  () => {
    expect(series.envoy).toContain("envoy_wasm_remote_load_cache_negative_hits");
    expect(series.embedded).toEqual(series.envoy);
  },
);
