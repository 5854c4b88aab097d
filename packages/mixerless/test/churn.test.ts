import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Churn } from "./churn.ts";
import { Load } from "./load.ts";

/** Given, the long form: so many requests, 100,000 or more, and a change every 200 ms. */
const HEAVY = process.env.MIXERLESS_CHURN_REQUESTS !== undefined;
const REQUESTS = Number(process.env.MIXERLESS_CHURN_REQUESTS ?? 1500);
const REQUESTS_PER_CHANGE = 25;
const INTERVAL = 200;

let churn: Churn;

beforeAll(async () => {
  churn = await Churn.start();
}, 60_000);

afterAll(async () => {
  await churn?.close();
}, 20_000);

it("loses no request and counts each one while weights, routes, listeners, endpoints, chains and labels change", async () => {
  const load = new Load(churn.door, HEAVY ? 16 : 4);
  const memory: number[] = [];
  await load.more(200);
  let changes = 0;
  for (; load.total < REQUESTS; changes++) {
    await churn.change();
    if (HEAVY) await pause(INTERVAL);
    else await load.more(REQUESTS_PER_CHANGE);
    if (HEAVY && changes % 30 === 0) {
      memory.push(await churn.memory());
      process.stderr.write(`${await churn.report(load.total)}\n`);
    }
  }
  await load.stop();
  const requests = load.total + (await churn.extraRequests());
  expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
  expect(churn.refusals).toEqual([]);
  expect(await churn.counted(requests)).toEqual({
    source: { "source 200 -": requests },
    destination: { "destination 200 -": requests },
  });
  // Each change of telemetry has left series of its own behind.
  expect(await churn.labelSets()).toBeGreaterThan(changes / 12);
  if (HEAVY) {
    const third = Math.floor(memory.length / 3);
    expect(Math.max(...memory.slice(-third))).toBeLessThan(1.2 * Math.max(...memory.slice(third, -third)));
    process.stderr.write(`${await churn.report(load.total)}\n`);
  }
}, 600_000);
