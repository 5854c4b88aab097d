import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { RunningProxy, startOrigin } from "./running-proxy.ts";

/** Says "seen" for each request. */
const MODULE = assemble(
  moduleText(`(data (i32.const 0) "seen")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $proxy_log (i32.const 2) (i32.const 0) (i32.const 4))) (i32.const 0))`),
);

const FILTER = {
  name: "plugin",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    config: { name: "probe", vm_config: { code: { local: { inline_bytes: Buffer.from(MODULE).toString("base64") } } } },
  },
};

function withPlugin(text: string): string {
  const bootstrap: unknown = JSON.parse(text, (key, value: unknown) =>
    key === "httpFilters" ? [FILTER, ...(value as readonly object[])] : value,
  );
  return JSON.stringify(bootstrap);
}

describe("a plugin in several workers", () => {
  let proxy: RunningProxy;
  let origin: Awaited<ReturnType<typeof startOrigin>>;

  beforeAll(async () => {
    origin = await startOrigin("one");
    proxy = await RunningProxy.start("istio-telemetry.json", [origin.port], withPlugin, ["--concurrency", "2"]);
  }, 60_000);

  afterAll(async () => {
    await proxy?.stop();
    await origin?.close();
  }, 20_000);

  const page = async <T>(path: string) => JSON.parse((await fetchPage(`http://${proxy.admin}${path}`)).body) as T;

  it("is one in the status, with the sums of all, and its lines come from all", async () => {
    let sent = 0;
    const lines = async () =>
      (await page<{ lines: { text: string; process: number }[] }>("/plugin_logs?plugin=probe")).lines;
    while (new Set((await lines()).map((line) => line.process)).size < 2) {
      // Each over a connection of its own, which any worker may accept.
      await Promise.all(
        Array.from({ length: 10 }, () => fetch(`http://${proxy.address}/`, { headers: { connection: "close" } })),
      );
      sent += 10;
      if (sent >= 200) break;
    }
    const said = await lines();
    expect(said.map((line) => line.text)).toEqual(Array.from({ length: sent }, () => "wasm log probe: seen"));
    const { plugins } = await page<{ plugins: object[] }>("/plugins");
    expect(plugins).toMatchObject([{ name: "probe", state: "running", traps: 0, memory: 2 * 65_536 }]);
    const [{ calls }] = plugins as [{ calls: number }];
    expect(calls).toBeGreaterThanOrEqual(sent);
  }, 60_000);

  it("that nobody has is not found, with the names of those there are", async () => {
    const { status, body } = await fetchPage(`http://${proxy.admin}/plugin_logs?plugin=other`);
    expect([status, body]).toEqual([404, 'There is no plugin "other" here; there is probe.\n']);
  });
});
