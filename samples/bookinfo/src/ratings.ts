import type { Server } from "node:http";
import { isRecord, parseJson, readText } from "./client.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Environment, integerOf } from "./environment.ts";
import { createRandom } from "./random.ts";
import { type Answer, createService, failure, isProgram, json, runService, trailingInteger } from "./service.ts";

export interface RatingsOptions {
  /** `v1`, `v2` (no database here), `v-faulty`, `v-delayed`, `v-unavailable` or `v-unhealthy`. */
  version?: string;
  /** Makes the moods of `v-faulty` and `v-delayed` the same at every start. */
  seed?: number;
  clock?: Clock;
}

const delay = 7_000;
const unavailablePeriod = 60_000;
const unhealthyPeriod = 15 * 60_000;
const longestBody = 16 * 1024;
/** Ratings that were sent in, for so many products at most; the oldest go first. */
const mostProducts = 1_000;

const sorry = "Ratings take a break; that is what this version is for.";

/** `SERVICE_VERSION` names the variant, `SEED` (a whole number) makes it repeatable. */
export function ratingsOptionsOf(env: Environment): RatingsOptions {
  const options: RatingsOptions = { version: env.SERVICE_VERSION || "v1" };
  if (env.SEED) options.seed = integerOf(env, "SEED", 0, 0xffffffff);
  return options;
}

/** The ratings service: the stars that each reviewer gave, and the variants that misbehave. */
export function createRatings({ version = "v1", seed, clock = systemClock }: RatingsOptions = {}): Server {
  const random = createRandom(seed);
  const start = clock.monotonic();
  const stored = new Map<number, Record<string, unknown>>();

  /** Whether an odd number of periods has passed: off and on in turn, on first. */
  const isOff = (period: number) => Math.floor((clock.monotonic() - start) / period) % 2 === 1;
  const isUnhealthy = () => version === "v-unhealthy" && isOff(unhealthyPeriod);

  async function read(id: number): Promise<Answer> {
    if (version === "v2") return failure(500, "There is no database behind this version. Use v1.");
    if (version === "v-faulty" && random() < 0.5) return failure(503, sorry);
    if (version === "v-unavailable" && isOff(unavailablePeriod)) return failure(503, sorry);
    if (isUnhealthy()) return failure(503, sorry);
    if (version === "v-delayed" && random() < 0.5) await new Promise<void>((done) => clock.after(delay, done));
    return json(200, { id, ratings: stored.get(id) ?? { Reviewer1: 5, Reviewer2: 4 } });
  }

  function write(id: number, body: string | undefined): Answer {
    if (version === "v2") return failure(501, "Ratings in a database can't be changed.");
    const ratings = body === undefined ? undefined : parseJson(body);
    if (!isRecord(ratings)) return failure(400, `The body must be a JSON object of at most ${longestBody} bytes.`);
    stored.delete(id);
    stored.set(id, ratings);
    const [oldest] = stored.keys();
    if (stored.size > mostProducts && oldest !== undefined) stored.delete(oldest);
    return json(200, { id, ratings });
  }

  return createService(async (method, { pathname }, request) => {
    if (pathname === "/health") {
      return isUnhealthy() ? json(500, { status: sorry }) : json(200, { status: "Ratings can be given." });
    }
    if (!pathname.startsWith("/ratings")) return failure(404, "This service knows /ratings/{number} and /health.");
    if (method !== "GET" && method !== "POST") return failure(405, "Ratings can be read (GET) and set (POST).");
    const id = trailingInteger(pathname);
    if (id === undefined) return failure(400, "The number of the product must be an integer, as in /ratings/0.");
    return method === "GET" ? read(id) : write(id, await readText(request, longestBody));
  });
}

if (isProgram(import.meta.url)) runService("ratings", (env) => createRatings(ratingsOptionsOf(env)));
