import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningDemo } from "./running-demo.ts";

const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));
const run = promisify(execFile);

/** Says something, then adds the answer header \`v\` with one letter, or traps. */
const module = (letter: string, then = "") =>
  assemble(
    moduleText(`(data (i32.const 0) "v${letter}seen ${letter}")
      (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
        (drop (call $proxy_log (i32.const 2) (i32.const 2) (i32.const 6))) ${then}
        (drop (call $proxy_add_header_map_value (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 1)))
        (i32.const 0))`),
  );

interface Row {
  readonly proxy: string;
  readonly state: string;
  readonly digest: string;
  readonly calls: number;
  readonly traps: number;
}

describe("a plugin on the demo", () => {
  let demo: RunningDemo;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-plugins-"));
    await writeFile(join(folder, "a.wasm"), module("a"));
    await writeFile(join(folder, "b.wasm"), module("b", "(unreachable)"));
    await writeFile(join(folder, "c.wasm"), module("c"));
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v1");
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 20_000);

  const deploy = (file: string) =>
    demo.write(
      "probe.yaml",
      `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: probe, namespace: default }
spec:
  selector: { matchLabels: { app: productpage } }
  url: file://${join(folder, file)}
  failStrategy: FAIL_OPEN
  match: [{ mode: SERVER }]
`,
    );
  const view = async () => {
    const answer = await fetch(`${demo.summary.ingress}/productpage`);
    await answer.arrayBuffer();
    return `${answer.status} ${answer.headers.get("v")}`;
  };
  const command = async (...args: string[]) =>
    (await run(process.execPath, [COMMAND, "plugin", ...args, "--pilot", demo.summary.pilot])).stdout;
  const rows = async () => JSON.parse(await command("status", "probe", "-o", "json")) as Row[];
  /** The rows once one of them is as wanted. */
  const rowWith = async (fits: (row: Row) => boolean) => {
    for (;;) {
      const row = (await rows().catch(() => [])).find(fits);
      if (row !== undefined) return row;
    }
  };

  it("is seen while it runs, and after it was rolled back; no request fails by it", async () => {
    await deploy("a.wasm");
    const statuses = new Set<string>();
    const until = async (wanted: string) => {
      for (;;) {
        const seen = await view();
        statuses.add(seen.slice(0, 3));
        if (seen === wanted) return;
      }
    };
    await until("200 a");
    const good = await rowWith(({ calls }) => calls > 0);
    expect(good).toMatchObject({ proxy: "productpage-v1.default", state: "running", traps: 0 });

    await deploy("b.wasm");
    // Without its header: the stream that trapped goes on.
    await until("200 null");
    await until("200 a");
    const back = await rowWith(({ state }) => state === "rolled_back");
    expect(back).toMatchObject({ digest: good.digest, traps: 1 });
    const table = await command("status");
    expect(table).toMatch(/default\.probe +productpage-v1\.default +rolled back .* proxy_on_response_headers 0x/);

    const said = await command("logs", "default.probe");
    expect(said).toMatch(/ productpage-v1\.default info wasm log default\.probe: seen a\n/);
    expect(said).toMatch(/ error Function: proxy_on_response_headers failed: unreachable\n/);
    expect(said).toMatch(/ error .* version [0-9a-f]{12} failed 1 times; version [0-9a-f]{12} runs again\n/);

    await deploy("c.wasm");
    await until("200 c");
    // At the place where the traffic is; others have never had a trap.
    expect(await rowWith(({ state, traps }) => state === "running" && traps > 0)).toMatchObject({ traps: 1 });
    expect([...statuses]).toEqual(["200"]);
  }, 120_000);
});
