import { expect, test } from "vitest";
import { createManualClock, getJson, nobody, request, serve, serveFake } from "../test/fixture.ts";
import type { Endpoints } from "./book-client.ts";
import { createDetails } from "./details.ts";
import type { Endpoint } from "./environment.ts";
import { createProductpage, type ProductpageOptions, productpageOptionsOf } from "./productpage.ts";
import { createRatings } from "./ratings.ts";
import { createReviews } from "./reviews.ts";

const text = expect.any(String);

async function pageOf(endpoint: Endpoint, cookie = ""): Promise<string> {
  const response = await request(endpoint, "/productpage", { headers: { cookie } });
  expect(response.status).toBe(200);
  return response.text();
}

function servePage(endpoints: Partial<Endpoints>, options: Partial<ProductpageOptions> = {}): Promise<Endpoint> {
  const all = { details: nobody, reviews: nobody, ratings: nobody, ...endpoints };
  return serve(createProductpage({ endpoints: all, ...options }));
}

async function serveShop(): Promise<Endpoint> {
  const ratings = await serve(createRatings());
  const reviews = await serve(
    createReviews({ ratings, starColor: "red", podName: "reviews-v3-pod", clusterName: "c1" }),
  );
  return servePage({ details: await serve(createDetails()), reviews, ratings });
}

async function countersOf(endpoint: Endpoint): Promise<string[]> {
  const response = await request(endpoint, "/metrics");
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  return (await response.text()).split("\n").filter((line) => /^[^#]/.test(line));
}

/** Signs `user` in and gives the cookie back. */
async function signIn(endpoint: Endpoint, user: string): Promise<string> {
  const body = new URLSearchParams({ username: user, passwd: "anything" });
  const response = await request(endpoint, "/login", { method: "POST", body });
  expect(response.status).toBe(302);
  return (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

test("the page shows the book, its facts, both opinions with stars, and who served them", async () => {
  const page = await pageOf(await serveShop());
  for (const part of ["The Comedy of Errors", "1234567890", "PublisherA", "200", "paperback", "English"]) {
    expect(page).toContain(part);
  }
  expect(page).toContain('aria-label="5 of 5 stars, red"');
  expect(page).toContain('aria-label="4 of 5 stars, red"');
  expect(page).toMatch(/served by <code>reviews-v3-pod<\/code> in <code>c1<\/code>/);
  expect(page).not.toContain('class="error"');
});

test("a page view is one call to details and one to reviews", async () => {
  const details = await serveFake((_request, response) => response.end("{}"), "details:9080");
  const reviews = await serveFake((_request, response) => response.end('{"reviews": []}'), "reviews:9080");
  const page = await servePage({ details: details.endpoint, reviews: reviews.endpoint });
  await pageOf(page);
  expect(details.requests.map(({ url, headers }) => [url, headers.host])).toEqual([["/details/0", "details:9080"]]);
  expect(reviews.requests.map(({ url, headers }) => [url, headers.host])).toEqual([["/reviews/0", "reviews:9080"]]);
});

test("reviews that fail are asked twice, counted once, and told on the page", async () => {
  const reviews = await serveFake((_request, response) => response.writeHead(503).end());
  const page = await servePage({ reviews: reviews.endpoint });
  const markup = await pageOf(page);
  expect(reviews.requests).toHaveLength(2);
  expect(markup.match(/class="error" role="alert"/g)).toHaveLength(2);
  expect(markup).toContain("HTTP 503");
  expect(await countersOf(page)).toEqual([
    'request_result_total{destination_app="details",response_code="500"} 1',
    'request_result_total{destination_app="reviews",response_code="503"} 1',
  ]);
});

test("a second try that succeeds is a success", async () => {
  let calls = 0;
  const reviews = await serveFake((_request, response) =>
    response.writeHead(++calls === 1 ? 500 : 200).end('{"a": 1}'),
  );
  const page = await servePage({ reviews: reviews.endpoint });
  expect(await getJson(page, "/api/v1/products/0/reviews")).toEqual({ status: 200, body: { a: 1 } });
  expect(await countersOf(page)).toEqual(['request_result_total{destination_app="reviews",response_code="200"} 1']);
});

test("the lesson: 7 s of ratings cost v2 its reviews after 6 s, and v3 only its stars", async () => {
  for (const [starColor, survives] of [
    ["black", false],
    ["red", true],
  ] as const) {
    const clock = createManualClock();
    const ratings = await serveFake(() => {});
    const reviews = await serve(createReviews({ ratings: ratings.endpoint, starColor, clock }));
    const page = await servePage({ details: await serve(createDetails()), reviews }, { clock });
    const markup = pageOf(page);
    // Of details' call nothing is left by then: what waits are one try of reviews and its call to ratings.
    for (let attempt = 0; attempt < (survives ? 1 : 2); attempt++) {
      while (ratings.requests.length <= attempt) await new Promise(setImmediate);
      clock.advance(survives ? 2_500 : 3_000);
    }
    expect(clock.monotonic()).toBe(survives ? 2_500 : 6_000);
    expect((await markup).includes("opinion can be shown")).toBe(!survives);
    expect((await markup).includes("No stars to show")).toBe(survives);
  }
});

test("the API hands on status and body of the services", async () => {
  const shop = await serveShop();
  expect(await getJson(shop, "/api/v1/products")).toEqual({
    status: 200,
    body: [{ id: 0, title: "The Comedy of Errors", descriptionHtml: text }],
  });
  expect((await getJson(shop, "/api/v1/products/4")).body).toMatchObject({ id: 4, pages: 200 });
  expect((await getJson(shop, "/api/v1/products/0/reviews")).body.reviews).toHaveLength(2);
  expect((await getJson(shop, "/api/v1/products/0/ratings")).body.ratings).toEqual({ Reviewer1: 5, Reviewer2: 4 });
  expect(await getJson(shop, "/api/v1/products/none")).toEqual({ status: 400, body: { error: text } });
  expect((await getJson(shop, "/api/v1/products/0/else")).status).toBe(404);
});

test("where there was no answer the API says 500", async () => {
  const page = await servePage({});
  for (const part of ["", "/reviews", "/ratings"]) {
    expect(await getJson(page, `/api/v1/products/0${part}`)).toEqual({ status: 500, body: { error: text } });
  }
});

test("a product's name can't change which path is asked", async () => {
  const details = await serveFake((_request, response) => response.end("{}"));
  const page = await servePage({ details: details.endpoint });
  await getJson(page, "/api/v1/products/a%2F..%2Fb%0d%0a");
  await getJson(page, "/api/v1/products/%ff");
  expect(details.requests.map(({ url }) => url)).toEqual(["/details/a%2F..%2Fb%0D%0A", "/details/%25ff"]);
});

test("whoever signs in goes along as end-user until signing out", async () => {
  const details = await serveFake((_request, response) => response.end("{}"));
  const page = await servePage({ details: details.endpoint });
  const cookie = await signIn(page, "jason");
  expect(await pageOf(page, cookie)).toContain("Hello, <b>jason</b>");
  expect(details.requests[0]?.headers).toMatchObject({ "end-user": "jason", cookie });
  const out = await request(page, "/logout", { headers: { cookie, referer: "http://shop.test/productpage?u=test" } });
  expect([out.status, out.headers.get("location")]).toEqual([302, "/productpage?u=test"]);
  expect(out.headers.get("set-cookie")).toMatch(/^session=; Max-Age=0;/);
});

test.each([
  ["a\r\nx-evil: 1", "ax-evil: 1"],
  ["张三", "%E5%BC%A0%E4%B8%89"],
  ["<b>", "<b>"],
])("the name %j is safe as a header and on the page", async (user, header) => {
  const details = await serveFake((_request, response) => response.end("{}"));
  const page = await servePage({ details: details.endpoint });
  const markup = await pageOf(page, await signIn(page, user));
  expect(details.requests[0]?.headers["end-user"]).toBe(header);
  expect(details.requests[0]?.headers["x-evil"]).toBeUndefined();
  expect(markup).not.toContain("<b><b>");
});

test("a session that somebody else signed is nobody's", async () => {
  const page = await servePage({});
  const stranger = await servePage({}, { sessionSecret: "other" });
  expect(await pageOf(page, await signIn(stranger, "jason"))).not.toContain("jason");
  const cookie = await signIn(page, "jason");
  expect(await pageOf(page, cookie.replace(/=[^.]*/, `=${Buffer.from("admin").toString("base64url")}`))).not.toContain(
    "admin",
  );
});

test.each(["https://evil.test//evil.test/", "http:\\\\evil.test\\\\x", "not a url"])(
  "the referrer %s does not lead to another site",
  async (referer) => {
    const page = await servePage({});
    const location = (await request(page, "/logout", { headers: { referer } })).headers.get("location");
    expect(location).toMatch(/^\/[^/\\]/);
  },
);

test("what the services send is shown as text", async () => {
  const body = JSON.stringify({
    podname: "<script>",
    reviews: [{ reviewer: "<i>", text: "<script>alert(1)</script>", rating: { stars: 99, color: '"><x' } }, 7],
  });
  const reviews = await serveFake((_request, response) => response.end(body));
  const markup = await pageOf(await servePage({ reviews: reviews.endpoint }));
  expect(markup).not.toContain("<script>");
  expect(markup).toContain('aria-label="5 of 5 stars, black"');
});

test("the flooding variant asks for reviews that many times more", async () => {
  const reviews = await serveFake((_request, response) => response.end("{}"));
  await pageOf(await servePage({ reviews: reviews.endpoint }, { floodFactor: 5 }));
  expect(reviews.requests).toHaveLength(6);
});

test("front page, health and assets", async () => {
  const page = await servePage({});
  for (const path of ["/", "/index.html"]) {
    const markup = await (await request(page, path)).text();
    for (const link of ['href="/productpage?u=normal"', 'href="/productpage?u=test"']) expect(markup).toContain(link);
  }
  const health = await request(page, "/health");
  expect([health.status, health.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
  expect((await request(page, "/static/bookinfo.css")).headers.get("content-type")).toMatch(/^text\/css/);
  expect((await request(page, "/static/..%2fpackage.json")).status).toBe(404);
  expect((await request(page, "/login")).status).toBe(405);
  expect((await request(page, "/login", { method: "POST", body: "x".repeat(5_000) })).status).toBe(413);
});

test("addresses, names and limits come from the environment", () => {
  const options = productpageOptionsOf({
    SERVICES_DOMAIN: "shop.svc",
    DETAILS_SERVICE_HOST: "127.1.0.1",
    DETAILS_SERVICE_PORT: "9081",
    REVIEWS_HOSTNAME: "opinions",
    FLOOD_FACTOR: "100",
  });
  expect(options.endpoints).toEqual({
    details: { host: "127.1.0.1", port: 9081, authority: "details.shop.svc:9081" },
    reviews: { host: "opinions.shop.svc", port: 9080, authority: "opinions.shop.svc:9080" },
    ratings: { host: "ratings.shop.svc", port: 9080, authority: "ratings.shop.svc:9080" },
  });
  expect([options.timeout, options.floodFactor]).toEqual([3_000, 100]);
  expect(() => productpageOptionsOf({ FLOOD_FACTOR: "many" })).toThrow(/FLOOD_FACTOR is "many"/);
});
