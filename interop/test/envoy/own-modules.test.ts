import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { RunningProxy, startOrigin } from "../../../packages/mixerless/test/running-proxy.ts";
import { findProgram, freePort, titled } from "../peers.ts";
import { EnvoyServer } from "./envoy-server.ts";
import { type Form, type Side, sidecarBootstrap } from "./own-modules-bootstrap.ts";

// The extensions that Mixerless compiles to Wasm, in the Envoy that everybody has: two sidecars, one that calls and one
// that is called, measure what the in-process form measures.

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];

const MODULES = fileURLToPath(new URL("../../../packages/extensions/dist/modules", import.meta.url));
/** Requests by the path that they ask for, which the origin answers. */
const PLAN = [
  ["/", 20],
  ["/missing", 5],
  ["/broken", 3],
] as const;

const closing: (() => Promise<void> | void)[] = [];

afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Sidecar {
  readonly admin: string;
}

async function start(side: Side, form: Form, port: number, target: number): Promise<Sidecar> {
  const adminPort = await freePort();
  const text = JSON.stringify(sidecarBootstrap({ side, form, port, target, adminPort, modules: MODULES }));
  if (form !== "envoy") {
    const proxy = await RunningProxy.run(text, "bootstrap.json");
    closing.push(() => proxy.stop());
    return { admin: `http://127.0.0.1:${adminPort}` };
  }
  const directory = mkdtempSync(join(tmpdir(), "mixerless-envoy-"));
  const file = join(directory, "bootstrap.json");
  writeFileSync(file, text);
  const envoy = await EnvoyServer.start(program ?? "", file, `http://127.0.0.1:${adminPort}`);
  closing.push(async () => {
    await envoy.stop();
    rmSync(directory, { recursive: true });
  });
  expect(envoy.log).not.toMatch(/wasm/i);
  return { admin: `http://127.0.0.1:${adminPort}` };
}

/** The series of these metrics without their values of time, each with its count, in one order of labels. */
async function series({ admin }: Sidecar): Promise<string[]> {
  const text = await (await fetch(`${admin}/stats/prometheus`)).text();
  const wanted = /^(istio_requests_total|istio_\w+_(?:milliseconds|bytes)_count)\{(.*)\} (\d+)$/gm;
  return [...text.matchAll(wanted)]
    .map(([, name, labels = "", value]) => `${name}{${[...labels.matchAll(/\w+="[^"]*"/g)].sort().join()}} ${value}`)
    .sort();
}

async function measured(form: Form): Promise<{ source: string[]; destination: string[] }> {
  const origin = await startOrigin("shop", (url) => (url === "/" ? 200 : url === "/missing" ? 404 : 503));
  closing.push(() => origin.close());
  const [inbound, outbound] = [await freePort(), await freePort()];
  const server = await start("inbound", form, inbound, origin.port);
  const client = await start("outbound", form, outbound, inbound);
  for (const [path, times] of PLAN)
    for (let i = 0; i < times; i++) await (await fetch(`http://127.0.0.1:${outbound}${path}`)).arrayBuffer();
  const requests = PLAN.reduce((sum, [, times]) => sum + times, 0);
  for (;;) {
    const [source, destination] = [await series(client), await series(server)];
    if (isWhole(source, requests) && isWhole(destination, requests)) return { source, destination };
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** Each of the four metrics has every request: the last stream's numbers come when it has been logged. */
function isWhole(lines: readonly string[], requests: number): boolean {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const [name = ""] = line.split("{");
    counts.set(name, (counts.get(name) ?? 0) + Number(line.split(" ").at(-1)));
  }
  return counts.size === 4 && [...counts.values()].every((count) => count === requests);
}

describe.skipIf(without.some(Boolean))(titled("our extensions as Wasm in stock Envoy", without), () => {
  it("make the series of the in-process form, label by label, on both ends of a call", async () => {
    const native = await measured("in process");
    expect(native.source.join("\n")).toContain('destination_workload="shop"');
    expect(native.destination.join("\n")).toContain('source_workload="web"');
    expect(await measured("modules")).toEqual(native);
    expect(await measured("envoy")).toEqual(native);
  });
});
