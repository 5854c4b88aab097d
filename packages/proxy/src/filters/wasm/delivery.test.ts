import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assemble, moduleText } from "@mixerless/wasm/testing";
import { decodeJson, formatFault } from "@mixerless/wire";
import { TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { afterEach, describe, expect, it } from "vitest";
import { ROUTER, routesTo, TestProxy } from "../../http/testing/test-proxy.ts";
import type { ModuleAnswer, ModuleRequest } from "../../wasm/module-source.ts";

const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";

/** As pilot's: the plugin comes by ECDS, and nobody waits for it. */
const MANAGER = {
  routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]),
  httpFilters: [
    {
      name: "p",
      configDiscovery: {
        ...{ configSource: { ads: {} }, typeUrls: [WASM, RBAC] },
        ...{ applyDefaultConfigWithoutWarming: true, defaultConfig: { "@type": RBAC } },
      },
    },
    ROUTER,
  ],
};

/** Adds the header `v` with one letter. */
function moduleOf(letter: string): Uint8Array<ArrayBuffer> {
  const set =
    "(drop (call $proxy_replace_header_map_value (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 1)))";
  return new Uint8Array(
    assemble(
      moduleText(
        `(data (i32.const 0) "v${letter}") (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) ${set} (i32.const 0))`,
      ),
    ),
  );
}

const open: TestProxy[] = [];
afterEach(() => {
  for (const proxy of open.splice(0)) proxy.factory.close?.();
});

function setUp(get: (request: ModuleRequest) => Promise<ModuleAnswer>) {
  const proxy = new TestProxy(MANAGER, { modules: { get } });
  open.push(proxy);
  const cluster = proxy.clusters.add("c");
  const plugins = proxy.context.extensions.plugins(proxy.clusters);
  const deliver = (uri: string, more: { policy?: string; configuration?: string; environment?: object } = {}) => {
    const config = {
      ...{ name: "ns.p", failurePolicy: more.policy ?? "FAIL_CLOSED" },
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: more.configuration ?? "" },
      vmConfig: {
        code: { remote: { httpUri: { uri, cluster: "_", timeout: "30s" } } },
        environmentVariables: { keyValues: more.environment ?? {} },
      },
    };
    const decoded = decodeJson(TypedExtensionConfigSchema, { name: "p", typedConfig: { "@type": WASM, config } });
    if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
    expect(proxy.filterConfigs.set(decoded.message)).toEqual([]);
  };
  /** The status of an answer, or the header that reached the upstream. */
  const outcome = () => {
    const exchange = proxy.request();
    if (cluster.attempts.length === 0) return String(exchange.head?.[":status"]);
    const seen = cluster.last.head?.v ?? "bare";
    cluster.last.respond(200);
    exchange.disconnect();
    // Nothing of the past is to be held by the test.
    cluster.attempts.length = 0;
    return seen;
  };
  return { proxy, plugins, deliver, outcome };
}

const fine = (letter: string): ModuleAnswer => ({ bytes: moduleOf(letter), digest: "" });

describe("a plugin whose module is fetched", () => {
  it.each([
    ["FAIL_CLOSED", "503"],
    ["FAIL_OPEN", "bare"],
  ])("holds nothing up: until it is there, streams go by %s", async (policy, expected) => {
    let arrive: (answer: ModuleAnswer) => void = () => {};
    const { plugins, deliver, outcome } = setUp(
      () =>
        new Promise((resolve) => {
          arrive = resolve;
        }),
    );
    expect(outcome()).toBe("bare");
    deliver("oci://r/p:v1", { policy });
    expect(outcome()).toBe(expected);
    expect(plugins.reports()).toMatchObject([{ name: "ns.p", state: "fetching", source: "oci://r/p:v1" }]);
    arrive(fine("a"));
    await plugins.settled();
    expect(outcome()).toBe("a");
    expect(plugins.reports()).toMatchObject([
      { state: "running", lastError: null, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });

  it("is what chains wait for that others stand in for: until it first works, or can't be had, and never again", async () => {
    const answers: ((answer: ModuleAnswer) => void)[] = [];
    const { proxy, plugins, deliver } = setUp(() => new Promise((resolve) => void answers.push(resolve)));
    const settle = async (answer: ModuleAnswer) => {
      answers.shift()?.(answer);
      await plugins.settled();
      return proxy.factory.starting;
    };
    expect(proxy.factory.starting).toBe(true);
    deliver("r/p:v1");
    expect(proxy.factory.starting).toBe(true);
    expect(await settle({ fault: "r can't be reached", transient: true })).toBe(false);
    deliver("r/p:v2");
    expect(proxy.factory.starting).toBe(false);
    expect(await settle(fine("a"))).toBe(false);
  });

  it("tells the fetcher policy, version and pull secret, and the module none of it", async () => {
    const asked: ModuleRequest[] = [];
    const { plugins, deliver } = setUp(async (request) => {
      asked.push(request);
      return fine("a");
    });
    deliver("r/p:v1", {
      environment: {
        ...{ ISTIO_META_WASM_IMAGE_PULL_POLICY: "Always", ISTIO_META_WASM_IMAGE_PULL_SECRET: "{}" },
        ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: "7",
      },
    });
    await plugins.settled();
    expect(asked).toEqual([
      { plugin: "ns.p", url: "r/p:v1", sha256: "", policy: "Always", version: "7", pullSecret: "{}" },
    ]);
  });

  it("that can't be had is refused with the reason; what ran before goes on", async () => {
    let answer: ModuleAnswer = fine("a");
    const { proxy, plugins, deliver, outcome } = setUp(async () => answer);
    deliver("r/p:v1");
    await plugins.settled();
    answer = { fault: "r has no image p", transient: false };
    deliver("r/p:v2");
    await plugins.settled();
    expect(outcome()).toBe("a");
    expect(plugins.reports()).toMatchObject([
      { state: "refused", lastError: { message: "r has no image p" }, source: "r/p:v2" },
    ]);
    expect(proxy.hostLog.join()).toContain("wasm plugin ns.p: r has no image p");
    answer = { bytes: new Uint8Array([1, 2, 3]), digest: "" };
    deliver("r/p:v3");
    await plugins.settled();
    expect(plugins.reports()).toMatchObject([
      { state: "refused", lastError: { message: expect.stringContaining("Wasm") } },
    ]);
    expect(outcome()).toBe("a");
  });

  it.each([
    ["returns to the version before when the new one fails", {}, "a", "rolled_back"],
    ["stays with the new one where its owner wants that", { MIXERLESS_WASM_ROLLBACK_AFTER: "0" }, "503", "failing"],
  ])("%s", async (_what, environment, expected, state) => {
    const trap = assemble(
      moduleText('(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (unreachable))'),
    );
    const modules: Record<string, ModuleAnswer> = {
      "r/p:v1": fine("a"),
      "r/p:v2": { bytes: new Uint8Array(trap), digest: "" },
      "r/p:v3": fine("c"),
    };
    const { plugins, deliver, outcome } = setUp(async ({ url }) => modules[url] ?? fine("?"));
    deliver("r/p:v1", { environment });
    await plugins.settled();
    deliver("r/p:v2", { environment });
    await plugins.settled();
    expect([outcome(), outcome()]).toEqual(["503", expected]);
    const lastError = { message: "unreachable", callback: "proxy_on_request_headers" };
    expect(plugins.reports()).toMatchObject([{ state, traps: 1, lastError, source: "r/p:v2" }]);
    deliver("r/p:v3", { environment });
    await plugins.settled();
    expect([outcome(), plugins.reports()[0]?.state]).toEqual(["c", "running"]);
  });

  it("is counted under Envoy's names, by where it came from", async () => {
    const fault: ModuleAnswer = { fault: "r has no image p", transient: false };
    const answers: ModuleAnswer[] = [
      ...([
        { ...fine("a"), origin: "fetch" },
        { ...fine("b"), origin: "other-fetch" },
      ] as const),
      ...([
        { ...fine("c"), origin: "cache" },
        { ...fault, origin: "fetch" },
      ] as const),
    ];
    const { proxy, plugins, deliver } = setUp(async () => answers.shift() ?? fine("?"));
    for (const tag of ["v1", "v2", "v3", "v4"]) {
      deliver(`r/p:${tag}`);
      await plugins.settled();
    }
    const text = proxy.metrics.text();
    const value = (name: string) => new RegExp(`^envoy_wasm_remote_load_${name} (\\d+)$`, "m").exec(text)?.[1];
    expect(["cache_hits", "cache_misses", "cache_negative_hits"].map(value)).toEqual(["1", "3", "0"]);
    expect(["fetch_successes", "fetch_failures", "cache_entries"].map(value)).toEqual(["1", "1", "0"]);
  });

  it("is tried again, with growing pauses, where another try may succeed", async () => {
    let tries = 0;
    const { proxy, plugins, deliver, outcome } = setUp(async () => {
      tries++;
      return tries < 3 ? { fault: "r can't be reached", transient: true } : fine("a");
    });
    deliver("r/p:v1");
    await plugins.settled();
    proxy.clock.advance(9_999);
    expect(tries).toBe(1);
    proxy.clock.advance(1);
    await plugins.settled();
    expect(tries).toBe(2);
    proxy.clock.advance(20_000);
    await plugins.settled();
    expect(outcome()).toBe("a");
  });

  it("is overtaken by a newer one, however late it comes", async () => {
    const waiting = new Map<string, (answer: ModuleAnswer) => void>();
    const { plugins, deliver, outcome } = setUp(({ url }) => new Promise((resolve) => waiting.set(url, resolve)));
    deliver("r/p:v1");
    deliver("r/p:v2");
    await turn();
    waiting.get("r/p:v2")?.(fine("b"));
    await turn();
    waiting.get("r/p:v1")?.(fine("a"));
    await plugins.settled();
    expect(outcome()).toBe("b");
  });
});

/** Bytes that VMs have, once what nobody holds is gone. */
async function vmBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) {
    await turn();
    collect();
  }
  return process.memoryUsage().external;
}

/** `MIXERLESS_SWAPS=1000 MIXERLESS_SWAP_REQUESTS=100000` is the long form. */
const SWAPS = Number(process.env.MIXERLESS_SWAPS ?? 60);
const REQUESTS = Number(process.env.MIXERLESS_SWAP_REQUESTS ?? 6000);

describe("a plugin that changes under traffic", () => {
  it(`fails no request, and old VMs go (${SWAPS} swaps, ${REQUESTS} requests)`, { timeout: 600_000 }, async () => {
    const modules = [fine("a"), fine("b")];
    let swap = 0;
    const { proxy, plugins, deliver, outcome } = setUp(async () => modules[swap % 2] ?? fine("a"));
    const seen = new Map<string, number>();
    deliver("r/p:0", { policy: "FAIL_OPEN" });
    await plugins.settled();
    let memory = 0;
    for (swap = 1; swap <= SWAPS; swap++) {
      deliver(`r/p:${swap}`, { policy: "FAIL_OPEN", configuration: String(swap) });
      for (let i = 0; i < REQUESTS / SWAPS; i++) {
        const result = outcome();
        seen.set(result, (seen.get(result) ?? 0) + 1);
        if (i % 10 === 0) await turn();
      }
      await plugins.settled();
      proxy.clock.advance(1);
      if (swap === Math.ceil(SWAPS / 2)) memory = await vmBytes();
    }
    expect([...seen.keys()].sort()).toEqual(["a", "b"]);
    expect(plugins.vms).toBe(1);
    expect(plugins.reports()).toHaveLength(1);
    // A VM has at least 64 KiB: the second half of the swaps leaves no more behind than the first.
    expect((await vmBytes()) - memory).toBeLessThan(5 * 65_536);
  });
});
