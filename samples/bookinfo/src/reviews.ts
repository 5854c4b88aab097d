import type { OutgoingHttpHeaders, Server } from "node:http";
import { type ClientOptions, clientOptionsOf, createClient, isRecord, parseJson } from "./client.ts";
import { type Endpoint, type Environment, endpointOf, flagOf, integerOf } from "./environment.ts";
import { propagate } from "./propagation.ts";
import { createService, failure, isProgram, json, runService, trailingInteger } from "./service.ts";

export interface ReviewsOptions extends ClientOptions {
  /** Where to ask for ratings. Left out, reviews carry no stars: v1. */
  ratings?: Endpoint;
  starColor?: string;
  /** Milliseconds to wait for ratings. By default 10 s for black stars, 2.5 s for any other colour. */
  ratingsTimeout?: number;
  /** The names that the page shows under "served by". */
  podName?: string;
  clusterName?: string;
}

/** `ENABLE_RATINGS` and `STAR_COLOR` make v1 (no stars), v2 (black) and v3 (red) of one program. */
export function reviewsOptionsOf(env: Environment): ReviewsOptions {
  const starColor = env.STAR_COLOR || "black";
  return {
    ...clientOptionsOf(env),
    ...(flagOf(env, "ENABLE_RATINGS") ? { ratings: endpointOf("ratings", env) } : {}),
    starColor,
    ratingsTimeout: integerOf(env, "RATINGS_TIMEOUT_MS", defaultTimeout(starColor), 3_600_000),
    podName: env.HOSTNAME || "null",
    clusterName: env.CLUSTER_NAME || "null",
  };
}

/**
 * The lesson of the demo: 10 s is longer than productpage waits (2 × 3 s), so a delay of ratings takes
 * the reviews with it; 2.5 s is shorter, and only the stars are lost.
 */
function defaultTimeout(starColor: string): number {
  return starColor === "black" ? 10_000 : 2_500;
}

/** The reviews service: two opinions and, from v2 on, the stars that ratings has for them. */
export function createReviews(options: ReviewsOptions = {}): Server {
  const { ratings, starColor = "black", podName = "null", clusterName = "null" } = options;
  const timeout = options.ratingsTimeout ?? defaultTimeout(starColor);
  const client = createClient(options);

  /** The stars of each reviewer; none when ratings does not answer in time. */
  async function starsOf(endpoint: Endpoint, id: number, headers: OutgoingHttpHeaders) {
    const reply = await client.get(endpoint, `/ratings/${id}`, headers, timeout);
    const body = reply?.status === 200 ? parseJson(reply.body) : undefined;
    return isRecord(body) && isRecord(body.ratings) ? body.ratings : {};
  }

  function ratingOf(stars: unknown): object {
    if (typeof stars === "number") return { stars, color: starColor };
    return { error: "No stars to show: the ratings service gave no answer that helps." };
  }

  return createService(async (method, { pathname }, request) => {
    if (pathname === "/health") return json(200, { status: "Reviews can be read." });
    if (!pathname.startsWith("/reviews")) return failure(404, "This service knows /reviews/{number} and /health.");
    if (method !== "GET") return failure(405, "Reviews can only be read.");
    const id = trailingInteger(pathname);
    if (id === undefined) return failure(400, "The number of the product must be an integer, as in /reviews/0.");
    const stars = ratings && (await starsOf(ratings, id, propagate(request.headers)));
    const reviews = opinions.map((opinion) =>
      stars === undefined ? opinion : { ...opinion, rating: ratingOf(stars[opinion.reviewer]) },
    );
    // The id is a string here and a number in the other services; tutorials show it so.
    return json(200, { id: String(id), podname: podName, clustername: clusterName, reviews });
  });
}

const opinions = [
  {
    reviewer: "Reviewer1",
    text: "Two pairs of twins, one confused town, and not a dull minute. I laughed out loud on the train.",
  },
  {
    reviewer: "Reviewer2",
    text: "Light, quick and kinder than it looks. Keep a list of who is who next to you, and enjoy losing track.",
  },
];

if (isProgram(import.meta.url)) runService("reviews", (env) => createReviews(reviewsOptionsOf(env)));
