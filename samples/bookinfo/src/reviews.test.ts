import { expect, test } from "vitest";
import { createManualClock, getJson, nobody, serve, serveFake } from "../test/fixture.ts";
import { createRatings } from "./ratings.ts";
import { createReviews, reviewsOptionsOf } from "./reviews.ts";

const text = expect.any(String);

test("v1 has two opinions and no stars, and calls nobody", async () => {
  const reviews = await serve(createReviews({ podName: "reviews-v1-x" }));
  expect(await getJson(reviews, "/reviews/0")).toEqual({
    status: 200,
    body: {
      id: "0",
      podname: "reviews-v1-x",
      clustername: "null",
      reviews: [
        { reviewer: "Reviewer1", text },
        { reviewer: "Reviewer2", text },
      ],
    },
  });
  expect((await getJson(reviews, "/reviews/zero")).status).toBe(400);
  expect(await getJson(reviews, "/health")).toEqual({ status: 200, body: { status: text } });
});

test.each(["black", "red"])("with ratings, every opinion has its %s stars", async (starColor) => {
  const ratings = await serve(createRatings());
  const reviews = await serve(createReviews({ ratings, starColor }));
  expect((await getJson(reviews, "/reviews/0")).body.reviews).toEqual([
    { reviewer: "Reviewer1", text, rating: { stars: 5, color: starColor } },
    { reviewer: "Reviewer2", text, rating: { stars: 4, color: starColor } },
  ]);
});

test.each([
  ["a refusal", 503, "{}"],
  ["a body that is no JSON", 200, "<html>"],
  ["a body without ratings", 200, "[]"],
])("%s from ratings costs the stars, not the reviews", async (_, status, body) => {
  const ratings = await serveFake((_request, response) => response.writeHead(status).end(body));
  const reviews = await serve(createReviews({ ratings: ratings.endpoint }));
  const answer = await getJson(reviews, "/reviews/0");
  expect(answer.status).toBe(200);
  expect(answer.body.reviews?.[0]?.rating).toEqual({ error: text });
  expect(ratings.requests).toHaveLength(1);
});

test("nobody at the address of ratings costs the stars only", async () => {
  const reviews = await serve(createReviews({ ratings: nobody }));
  expect((await getJson(reviews, "/reviews/0")).body.reviews?.[1]?.rating).toEqual({ error: text });
});

test("a reviewer whom ratings does not know has an error of his own", async () => {
  const ratings = await serveFake((_request, response) => response.end('{"ratings": {"Reviewer2": 3}}'));
  const reviews = await serve(createReviews({ ratings: ratings.endpoint }));
  const { body } = await getJson(reviews, "/reviews/0");
  expect(body.reviews?.map(({ rating }) => rating)).toEqual([{ error: text }, { stars: 3, color: "black" }]);
});

test.each([
  ["black", 10_000],
  ["red", 2_500],
  ["blue", 2_500],
])("with %s stars it waits %i ms for ratings", async (starColor, timeout) => {
  const clock = createManualClock();
  const ratings = await serveFake(() => {});
  const reviews = await serve(createReviews({ ratings: ratings.endpoint, starColor, clock }));
  const answer = getJson(reviews, "/reviews/0");
  await clock.waiting(1);
  clock.advance(timeout - 1);
  expect(await Promise.race([answer, clock.waiting(1)])).toBeUndefined();
  clock.advance(1);
  expect((await answer).body.reviews?.[0]?.rating).toEqual({ error: text });
});

test("the answer that starts and then drips is given up in time, too", async () => {
  const clock = createManualClock();
  const ratings = await serveFake((_request, response) => response.write('{"ratings":'));
  const reviews = await serve(createReviews({ ratings: ratings.endpoint, clock }));
  const answer = getJson(reviews, "/reviews/0");
  await clock.waiting(1);
  clock.advance(10_000);
  expect((await answer).body.reviews?.[0]?.rating).toEqual({ error: text });
});

test("asks ratings under the service's name and passes on who asked, not everything", async () => {
  const ratings = await serveFake((_request, response) => response.end("{}"), "ratings.shop:9080");
  const reviews = await serve(createReviews({ ratings: ratings.endpoint }));
  await getJson(reviews, "/reviews/0", { "end-user": "jason", traceparent: "00-1-2-01", "x-private": "1" });
  const [request] = ratings.requests;
  expect(request?.url).toBe("/ratings/0");
  expect(request?.headers).toMatchObject({ host: "ratings.shop:9080", "end-user": "jason", traceparent: "00-1-2-01" });
  expect(request?.headers).not.toHaveProperty("x-private");
});

test("each call is a new connection unless reuse is switched on", async () => {
  for (const reuseConnections of [false, true]) {
    const ratings = await serveFake((_request, response) => response.end("{}"));
    const reviews = await serve(createReviews({ ratings: ratings.endpoint, reuseConnections }));
    for (let call = 0; call < 3; call++) await getJson(reviews, "/reviews/0");
    const ports = new Set(ratings.requests.map((request) => request.socket.remotePort ?? request.socket));
    expect(ports.size).toBe(reuseConnections ? 1 : 3);
  }
});

test("the version comes from the environment", () => {
  expect(reviewsOptionsOf({})).toMatchObject({ starColor: "black", ratingsTimeout: 10_000, podName: "null" });
  expect(reviewsOptionsOf({})).not.toHaveProperty("ratings");
  const v3 = {
    ENABLE_RATINGS: "true",
    STAR_COLOR: "red",
    HOSTNAME: "pod",
    CLUSTER_NAME: "c1",
    CONNECTION_REUSE: "true",
  };
  expect(reviewsOptionsOf(v3)).toEqual({
    reuseConnections: true,
    ratings: { host: "ratings", port: 9080, authority: "ratings:9080" },
    starColor: "red",
    ratingsTimeout: 2_500,
    podName: "pod",
    clusterName: "c1",
  });
});
