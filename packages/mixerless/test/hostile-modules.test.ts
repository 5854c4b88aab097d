import {
  assemble,
  HARMLESS_MODULE,
  type HostileModule,
  hostileModules,
  moduleText,
  UNLOADABLE_MODULES,
} from "@mixerless/wasm/testing";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { HostileProxy } from "./hostile-proxy.ts";
import { Load } from "./load.ts";

// A proxy as it runs beside a workload, with the limits that it has unless somebody changes them.

// Endless code runs until its fuel is used up, and that sixty times.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** More than any limit lets through. */
const MODULES = hostileModules(12_000);

const MIB = 1024 * 1024;
/** A plugin may have 256 MiB, and there are two at a time. */
const MEMORY = 900 * MIB;

let world: HostileProxy;
let others: Load[] = [];

beforeAll(async () => {
  world = await HostileProxy.start(assemble(moduleText(HARMLESS_MODULE)));
  others = [new Load(world.url("plain"), 2), new Load(world.url("neighbour"), 2)];
  await Promise.all(others.map((load) => load.more(50)));
});

afterAll(async () => {
  await Promise.all(others.map((load) => load.stop()));
  await world?.close();
});

/** What three requests get, one after the other. */
async function answers(door: "open" | "closed"): Promise<(number | "broken")[]> {
  return [await world.ask(door), await world.ask(door), await world.ask(door)];
}

/** What the first request gets where the plugin's owner wants streams closed; those after it get 503. */
function firstAnswer({ when }: HostileModule): number | "broken" {
  if (when === "end") return 200;
  return when === "body" ? "broken" : 503;
}

/** A start has fuel and a time limit; on a busy machine the time is over first, which comes to the same. */
function inTime({ timeout, startTimeout, ...rest }: Record<string, number>): Record<string, number> {
  if (timeout !== undefined) return { ...rest, fuel: timeout };
  return startTimeout === undefined ? rest : { ...rest, startFuel: startTimeout };
}

/** Resolves when `holds`, which is looked at after some more requests of others. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await Promise.all(others.map((load) => load.more(5)));
}

async function othersNoticeNothing(): Promise<void> {
  await Promise.all(others.map((load) => load.more(20)));
  for (const load of others) expect([...load.answers.keys()]).toEqual(["200"]);
  expect(await world.series("mixerless_plugin_failures_total", "neighbour")).toEqual({});
  expect(await world.ready()).toBe(true);
  expect(world.smuggled).toEqual([]);
  expect(await world.memory()).toBeLessThan(MEMORY);
}

describe("a hostile module in a proxy under load", () => {
  let number = 0;

  it.each(MODULES)("$name", async (hostile) => {
    const { body, frame, fails, limit, when } = hostile;
    const name = `hostile${++number}`;
    await world.offer(name, assemble(moduleText(body, frame)));
    const stated = async (door: string) => (await world.plugin(`${name}.${door}`))?.state;
    const failures = (door: string) => world.series("mixerless_plugin_failures_total", `${name}.${door}`);
    if (when === "timer") await until(async () => (await stated("closed")) === "failing");
    const first = fails === null ? 200 : firstAnswer(hostile);
    const later = fails === null ? 200 : 503;
    expect(await answers("closed")).toEqual([first, later, later]);
    expect(await answers("open")).toEqual([200, 200, 200]);
    for (const door of ["open", "closed"]) {
      expect(fails === null ? {} : { [fails]: 1 }, door).toEqual(inTime(await failures(door)));
      expect(await stated(door), door).toBe(fails === null ? "running" : when === "start" ? "refused" : "failing");
      if (limit === undefined) continue;
      const hits = async () => inTime(await world.series("mixerless_plugin_limit_hits_total", `${name}.${door}`));
      await until(async () => limit in (await hits()));
    }
    await othersNoticeNothing();
  });

  it.each(UNLOADABLE_MODULES)("%s", async (_what, bytes) => {
    await world.offer(`hostile${++number}`, bytes);
    expect(await answers("closed")).toEqual([503, 503, 503]);
    expect(await answers("open")).toEqual([200, 200, 200]);
    for (const door of ["open", "closed"]) {
      const report = await world.plugin(`hostile${number}.${door}`);
      expect(report, door).toMatchObject({ state: "refused", digest: "" });
      expect(report?.lastError?.message, door).toMatch(/./);
    }
    await othersNoticeNothing();
  });

  it("leaves no VM behind when it is taken away", async () => {
    await world.withdraw();
    await until(async () => (await world.value("envoy_wasm_envoy_wasm_runtime_v8_active")) === 1);
    await othersNoticeNothing();
  });
});
