import type { Server } from "node:http";
import { type ClientOptions, clientOptionsOf, createClient } from "./client.ts";
import { type Environment, flagOf } from "./environment.ts";
import { createBookLookup } from "./google-books.ts";
import { propagate } from "./propagation.ts";
import { createService, failure, isProgram, json, runService, trailingInteger } from "./service.ts";

export interface DetailsOptions extends ClientOptions {
  /** v2: ask Google Books, over TLS or, where the mesh adds TLS on the way out, without. */
  googleBooks?: "tls" | "plain";
}

/** `ENABLE_EXTERNAL_BOOK_SERVICE=true` makes v2 of it, `DO_NOT_ENCRYPT=true` leaves TLS to the mesh. */
export function detailsOptionsOf(env: Environment): DetailsOptions {
  const options: DetailsOptions = clientOptionsOf(env);
  if (flagOf(env, "ENABLE_EXTERNAL_BOOK_SERVICE")) {
    options.googleBooks = flagOf(env, "DO_NOT_ENCRYPT") ? "plain" : "tls";
  }
  return options;
}

/** The details service: what is printed on the back of the title page. */
export function createDetails(options: DetailsOptions = {}): Server {
  const lookup = options.googleBooks && createBookLookup(createClient(options), options.googleBooks);
  return createService(async (method, { pathname }, request) => {
    if (pathname === "/health") return json(200, { status: "Details can be looked up." });
    if (!pathname.startsWith("/details")) return failure(404, "This service knows /details/{number} and /health.");
    if (method !== "GET") return failure(405, "Details can only be read.");
    const id = trailingInteger(pathname);
    if (id === undefined) return failure(400, "The number of the book must be an integer, as in /details/0.");
    if (lookup === undefined) return json(200, { id, ...paperback });
    const book = await lookup(propagate(request.headers));
    return book === undefined ? failure(500, "The book catalogue gave no usable answer.") : json(200, { id, ...book });
  });
}

const paperback = {
  author: "William Shakespeare",
  year: 1595,
  type: "paperback",
  pages: 200,
  publisher: "PublisherA",
  language: "English",
  "ISBN-10": "1234567890",
  "ISBN-13": "123-1234567890",
};

if (isProgram(import.meta.url)) runService("details", (env) => createDetails(detailsOptionsOf(env)));
