import { beforeEach, describe, expect, test } from "vitest";
import { type Deployment, pluginConfig } from "../src/index.ts";
import { assemble, FakeHttpStream, moduleText, TestHost } from "../src/testing/index.ts";

let host: TestHost;
let deployment: Deployment;

beforeEach(() => {
  host = new TestHost();
  deployment = host.host.deployment("test");
});

/** Marks each request with `x-mark: letter`. */
const marker = (letter: string, more = "") =>
  assemble(
    moduleText(`(data (i32.const 0) "x-mark${letter}")
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (call $proxy_add_header_map_value (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 1))) ${more}`),
  );

const REFUSING = '(func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0))';
const config = (failurePolicy: "open" | "closed" = "closed") => pluginConfig("test", { failurePolicy });

function send(): string {
  const stream = new FakeHttpStream();
  const context = deployment.openHttp(stream);
  if (typeof context === "string") return context;
  context.onRequestHeaders(true);
  context.onDestroy();
  return stream.headers(0)?.value("x-mark") ?? "passed";
}

describe("until the first version runs", () => {
  test.each([
    ["closed", "fail"],
    ["open", "bypass"],
  ] as const)("%s: streams don't wait, they %s", async (policy, wanted) => {
    expect(send()).toBe("fail");
    const deployed = deployment.deploy(config(policy), marker("a"));
    expect(deployment.status()).toEqual({ name: "test", compiling: true, refused: null, plugin: null });
    expect(send()).toBe(wanted);
    expect(await deployed).toEqual({ kind: "running" });
    expect(send()).toBe("a");
    expect(deployment.status()).toMatchObject({ compiling: false, plugin: { state: "running" } });
  });

  test("one that can't be started leaves nothing behind", async () => {
    const outcome = await deployment.deploy(config(), marker("a", REFUSING));
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "refused" } });
    expect(deployment.status().refused).toContain("proxy_on_configure");
    expect([send(), host.host.vms, host.host.statuses().length]).toEqual(["fail", 0, 0]);
  });
});

describe("a running plugin", () => {
  beforeEach(async () => {
    await deployment.deploy(config(), marker("a"));
  });

  test("serves while the next version is compiled, and takes it over", async () => {
    const next = deployment.deploy(config(), marker("b"));
    expect(send()).toBe("a");
    await next;
    expect(send()).toBe("b");
    expect(host.host.vms).toBe(1);
  });

  test("goes on where the next version is no module, or can't be configured, and says why", async () => {
    const garbage = new Uint8Array(Buffer.from("<html>"));
    expect(await deployment.deploy(config(), garbage)).toMatchObject({
      kind: "refused",
      fault: { code: "wasm_corrupted" },
    });
    expect(deployment.status().refused).toContain("Failed to parse corrupted Wasm module");
    expect(await deployment.deploy(config(), marker("b", REFUSING))).toMatchObject({ kind: "failed" });
    expect(send()).toBe("a");
    expect(await deployment.deploy(config(), marker("c"))).toEqual({ kind: "running" });
    expect([send(), deployment.status().refused]).toEqual(["c", null]);
  });

  test("of several that come at once the newest wins", async () => {
    const outcomes = await Promise.all(["b", "c", "d"].map((letter) => deployment.deploy(config(), marker(letter))));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["overtaken", "overtaken", "running"]);
    expect(send()).toBe("d");
  });

  test("that is closed while a version is compiled doesn't come back", async () => {
    const late = deployment.deploy(config(), marker("b"));
    deployment.close();
    expect(await late).toEqual({ kind: "overtaken" });
    expect([send(), host.host.vms]).toEqual(["fail", 0]);
  });
});

describe("compiled modules", () => {
  test("the same bytes are compiled once, other ceilings make another module", async () => {
    const bytes = marker("a");
    const [one, two] = await Promise.all([host.host.load(bytes), host.host.load(bytes.slice())]);
    expect(one).toBe(two);
    expect(await host.host.load(bytes, { memoryPages: 8 })).not.toBe(one);
  });

  test("the ones that were used last are kept; faults are not", async () => {
    const { ModuleCache } = await import("../src/plugin/module-cache.ts");
    const { resolveLimits } = await import("../src/index.ts");
    const cache = new ModuleCache();
    const limits = resolveLimits({});
    const load = (n: number) => cache.load(marker("a", `(global i32 (i32.const ${n}))`), limits);
    const first = await load(0);
    for (let n = 1; n < 16; n++) await load(n);
    expect(await load(0)).toBe(first);
    await load(16);
    expect(await load(0)).toBe(first);
    expect(cache.size).toBe(16);
    await cache.load(new Uint8Array(4), limits);
    expect(cache.size).toBe(15);
  });
});
