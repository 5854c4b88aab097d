import { expect, test } from "vitest";
import { getJson, request, serve } from "../test/fixture.ts";
import { createDetails, detailsOptionsOf } from "./details.ts";
import { bookOf } from "./google-books.ts";

test("gives the facts of a book under the number asked for", async () => {
  const details = await serve(createDetails());
  expect(await getJson(details, "/details/7")).toEqual({
    status: 200,
    body: {
      id: 7,
      author: "William Shakespeare",
      year: 1595,
      type: "paperback",
      pages: 200,
      publisher: "PublisherA",
      language: "English",
      "ISBN-10": "1234567890",
      "ISBN-13": "123-1234567890",
    },
  });
});

test.each(["/details/x", "/details/", "/details", "/details/1.5"])("answers 400 to %s", async (path) => {
  const details = await serve(createDetails());
  expect(await getJson(details, path)).toEqual({ status: 400, body: { error: expect.any(String) } });
});

test("tells its health, refuses other methods and paths, and answers HEAD without a body", async () => {
  const details = await serve(createDetails());
  expect(await getJson(details, "/health")).toEqual({ status: 200, body: { status: expect.any(String) } });
  expect((await getJson(details, "/books")).status).toBe(404);
  expect((await request(details, "/details/0", { method: "DELETE" })).status).toBe(405);
  const head = await request(details, "/details/0", { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test("a request target that is no path gets a 400", async () => {
  const details = await serve(createDetails());
  const { request: raw } = await import("node:http");
  const status = await new Promise((resolve) => {
    raw({ host: details.host, port: details.port, path: "http://[/" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  expect(status).toBe(400);
});

test("v2 asks the catalogue, with TLS or without", () => {
  expect(detailsOptionsOf({}).googleBooks).toBeUndefined();
  expect(detailsOptionsOf({ ENABLE_EXTERNAL_BOOK_SERVICE: "true" }).googleBooks).toBe("tls");
  expect(detailsOptionsOf({ ENABLE_EXTERNAL_BOOK_SERVICE: "true", DO_NOT_ENCRYPT: "true" }).googleBooks).toBe("plain");
});

test("a catalogue entry becomes a book in the service's words", () => {
  const volumeInfo = {
    authors: ["William Shakespeare", "An Editor"],
    publishedDate: "2002",
    printType: "BOOK",
    pageCount: 64,
    publisher: "A House",
    language: "en",
    industryIdentifiers: [
      { type: "ISBN_13", identifier: "9780486424613" },
      { type: "ISBN_10", identifier: "0486424618" },
    ],
  };
  expect(bookOf({ items: [{ volumeInfo }] })).toEqual({
    author: "William Shakespeare",
    year: "2002",
    type: "paperback",
    pages: 64,
    publisher: "A House",
    language: "English",
    "ISBN-10": "0486424618",
    "ISBN-13": "9780486424613",
  });
  for (const answer of [undefined, null, [], {}, { items: [] }, { items: [7] }, { items: [{}] }]) {
    expect(bookOf(answer)).toBeUndefined();
  }
});
