import { expect, test } from "vitest";
import { createManualClock, getJson, request, serve } from "../test/fixture.ts";
import type { Endpoint } from "./environment.ts";
import { createRatings, ratingsOptionsOf } from "./ratings.ts";

const minute = 60_000;

async function statuses(ratings: Endpoint, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let call = 0; call < count; call++) found.push((await getJson(ratings, "/ratings/0")).status);
  return found;
}

function post(ratings: Endpoint, path: string, body: string) {
  return request(ratings, path, { method: "POST", body });
}

test("v1 gives five stars and four", async () => {
  const ratings = await serve(createRatings());
  expect(await getJson(ratings, "/ratings/3")).toEqual({
    status: 200,
    body: { id: 3, ratings: { Reviewer1: 5, Reviewer2: 4 } },
  });
  expect((await getJson(ratings, "/ratings/three")).status).toBe(400);
  expect(await getJson(ratings, "/health")).toEqual({ status: 200, body: { status: expect.any(String) } });
});

test("ratings that are sent in are kept for their product only", async () => {
  const ratings = await serve(createRatings());
  const answer = await post(ratings, "/ratings/1", '{"Reviewer1": 1}');
  expect([answer.status, await answer.json()]).toEqual([200, { id: 1, ratings: { Reviewer1: 1 } }]);
  expect((await getJson(ratings, "/ratings/1")).body).toEqual({ id: 1, ratings: { Reviewer1: 1 } });
  expect((await getJson(ratings, "/ratings/2")).body).toEqual({ id: 2, ratings: { Reviewer1: 5, Reviewer2: 4 } });
});

test.each(["not json", "[1]", "null", "", `{"a": "${"x".repeat(20_000)}"}`])("refuses the body %.20s", async (body) => {
  const ratings = await serve(createRatings());
  expect((await post(ratings, "/ratings/1", body)).status).toBe(400);
  expect((await getJson(ratings, "/ratings/1")).body.ratings).toEqual({ Reviewer1: 5, Reviewer2: 4 });
});

test("v2 has no database here, and says so", async () => {
  const ratings = await serve(createRatings({ version: "v2" }));
  expect((await getJson(ratings, "/ratings/0")).status).toBe(500);
  expect((await post(ratings, "/ratings/0", "{}")).status).toBe(501);
});

test("v-faulty fails about half of its calls, the same ones for the same seed", async () => {
  const version = "v-faulty";
  const first = await statuses(await serve(createRatings({ version, seed: 1 })), 200);
  const again = await statuses(await serve(createRatings({ version, seed: 1 })), 200);
  const other = await statuses(await serve(createRatings({ version, seed: 2 })), 200);
  expect(new Set(first)).toEqual(new Set([200, 503]));
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  const failed = first.filter((status) => status === 503).length;
  expect(failed).toBeGreaterThan(70);
  expect(failed).toBeLessThan(130);
});

test("v-delayed keeps about half of its calls waiting for 7 s", async () => {
  const clock = createManualClock();
  const ratings = await serve(createRatings({ version: "v-delayed", seed: 1, clock }));
  let delayed = 0;
  for (let call = 0; call < 20; call++) {
    const answer = getJson(ratings, "/ratings/0");
    const first = await Promise.race([answer, clock.waiting(1)]);
    if (first === undefined) {
      delayed++;
      clock.advance(6_999);
      expect(await Promise.race([answer, clock.waiting(1)])).toBeUndefined();
      clock.advance(1);
    }
    expect((await answer).status).toBe(200);
  }
  expect(delayed).toBeGreaterThan(4);
  expect(delayed).toBeLessThan(16);
});

test("v-unavailable changes its mind each minute and stays healthy", async () => {
  const clock = createManualClock();
  const ratings = await serve(createRatings({ version: "v-unavailable", clock }));
  const found: number[] = [];
  for (let round = 0; round < 4; round++) {
    found.push(...(await statuses(ratings, 1)));
    clock.advance(minute - 1);
    found.push(...(await statuses(ratings, 1)));
    expect((await getJson(ratings, "/health")).status).toBe(200);
    clock.advance(1);
  }
  expect(found).toEqual([200, 200, 503, 503, 200, 200, 503, 503]);
});

test("v-unhealthy takes its health check along, each quarter of an hour", async () => {
  const clock = createManualClock();
  const ratings = await serve(createRatings({ version: "v-unhealthy", clock }));
  const found: number[][] = [];
  for (let round = 0; round < 3; round++) {
    found.push([(await getJson(ratings, "/ratings/0")).status, (await getJson(ratings, "/health")).status]);
    clock.advance(15 * minute);
  }
  expect(found).toEqual([
    [200, 200],
    [503, 500],
    [200, 200],
  ]);
});

test("the variant and its seed come from the environment", () => {
  expect(ratingsOptionsOf({})).toEqual({ version: "v1" });
  expect(ratingsOptionsOf({ SERVICE_VERSION: "v-faulty", SEED: "7" })).toEqual({ version: "v-faulty", seed: 7 });
  expect(() => ratingsOptionsOf({ SEED: "lucky" })).toThrow(/SEED is "lucky"/);
});
