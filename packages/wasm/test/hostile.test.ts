import { beforeEach, describe, expect, test } from "vitest";
import { isFault, type PluginConfig, pluginConfig } from "../src/index.ts";
import {
  assemble,
  FakeHttpStream,
  HARMLESS_MODULE,
  type HostileModule,
  hostileModules,
  moduleText,
  TestHost,
  UNLOADABLE_MODULES,
} from "../src/testing/index.ts";

/** Small enough that a test of every limit takes milliseconds. */
const TIGHT: PluginConfig["limits"] = {
  callbackFuel: 1_000_000,
  streamFuel: 5_000_000,
  startFuel: 2_000_000,
  startTimeout: 2000,
  callbackWork: 15_000,
  memoryPages: 32,
  logRate: 10,
};

const HOSTILE = hostileModules(1500);

let host: TestHost;

beforeEach(() => {
  host = new TestHost();
});

async function meet({ body, frame, limit }: HostileModule, failurePolicy: PluginConfig["failurePolicy"]) {
  const limits = {
    ...TIGHT,
    ...(limit === undefined || limit === "logRate" || limit.startsWith("callback") || limit.startsWith("start")
      ? {}
      : SMALL),
  };
  const module = await host.load(assemble(moduleText(body, frame)), limits);
  return host.host.create(pluginConfig("hostile", { limits, failurePolicy, vmId: "hostile" }), module);
}

const SMALL: PluginConfig["limits"] = {
  metrics: 100,
  headerGrowth: 4096,
  callouts: 10,
  sharedDataBytes: 10_000,
  queues: 10,
};

/** A whole stream, with time for ticks. */
function stream(plugin: Awaited<ReturnType<typeof meet>>): { events: string[]; outcome: string } {
  const facts = new FakeHttpStream();
  const context = plugin.openHttp(facts);
  if (typeof context === "string") return { events: [], outcome: context };
  facts.context = context;
  const answer = context.onRequestHeaders(false);
  for (const call of host.services.calls.splice(0))
    call.done({ headers: [[":status", "200"]], body: Buffer.alloc(0), trailers: [] });
  host.services.clock.advance(2);
  context.onRequestBody(Buffer.from("asked"), false);
  facts.trailers(1, [["t", "1"]]);
  context.onRequestTrailers();
  facts.respond();
  context.onResponseHeaders(false);
  context.onResponseBody(Buffer.from("answered"), false);
  facts.trailers(3, [["t", "1"]]);
  context.onResponseTrailers();
  context.onLog();
  context.onDestroy();
  return { events: facts.events.filter((event) => event !== "clear route"), outcome: `answered ${answer}` };
}

describe("a hostile module keeps what it does to itself", () => {
  test("there are more than thirty of them", () => {
    expect(HOSTILE.length).toBeGreaterThan(30);
  });

  test.each(HOSTILE)("$name", async (hostile) => {
    const good = await host.plugin(HARMLESS_MODULE, { limits: TIGHT });
    const plugin = await meet(hostile, "closed");
    if (hostile.when === "start") {
      expect(plugin.status()).toMatchObject({ state: "failed", lastFailure: { kind: hostile.fails } });
      expect(stream(plugin).outcome).toBe("fail");
    } else {
      expect(plugin.status().state).toBe("running");
      stream(plugin);
      expect(plugin.status().lastFailure?.kind ?? null).toBe(hostile.fails);
      expect(plugin.status().state).toBe(hostile.fails === null ? "running" : "failed");
    }
    if (hostile.limit !== undefined) expect(plugin.status().limitHits).toHaveProperty(hostile.limit);
    // Others notice nothing.
    expect(stream(good)).toEqual({ events: [], outcome: "answered 0" });
    expect(good.status()).toMatchObject({ state: "running", failures: 0, limitHits: {} });
    host.close();
  });

  test.each(HOSTILE.filter(({ fails }) => fails !== null))("$name, with FAIL_OPEN: streams go on", async (hostile) => {
    const plugin = await meet(hostile, "open");
    for (let i = 0; i < 3; i++) {
      const { events, outcome } = stream(plugin);
      expect(events.filter((event) => event.startsWith("reply 5"))).toEqual([]);
      expect(outcome === "bypass" || outcome === "answered 0" || outcome === "answered 4", outcome).toBe(true);
    }
    host.close();
  });
});

describe("modules that can't be loaded", () => {
  test.each(UNLOADABLE_MODULES)("%s", async (_name, bytes) => {
    expect(isFault(await host.host.load(bytes))).toBe(true);
  });
});
