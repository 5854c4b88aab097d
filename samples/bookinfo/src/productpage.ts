import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, OutgoingHttpHeaders, Server } from "node:http";
import { createBookClient, type Destination, type Endpoints } from "./book-client.ts";
import { type ClientOptions, clientOptionsOf, createClient, readText } from "./client.ts";
import { type Environment, endpointOf, integerOf } from "./environment.ts";
import type { Html } from "./html.ts";
import { renderHome, renderProduct } from "./pages.ts";
import { products } from "./product.ts";
import { propagate } from "./propagation.ts";
import { createRequestCounter } from "./request-counter.ts";
import { type Answer, createService, failure, isProgram, json, runService } from "./service.ts";
import { cleanUserName, createSessions, endUserHeader } from "./session.ts";

export interface ProductpageOptions extends ClientOptions {
  endpoints: Endpoints;
  /** Milliseconds for one try of a call; 3 s by default. */
  timeout?: number;
  /** Calls to reviews beside each page view, all at once; 0 by default. */
  floodFactor?: number;
  /** Signs the session cookie; random by default. */
  sessionSecret?: string | Buffer;
}

const longestForm = 4 * 1024;

/** The variables are those of the sample's tutorials; `UPSTREAM_TIMEOUT_MS` and `SESSION_SECRET` are ours. */
export function productpageOptionsOf(env: Environment): ProductpageOptions {
  return {
    ...clientOptionsOf(env),
    endpoints: {
      details: endpointOf("details", env),
      reviews: endpointOf("reviews", env),
      ratings: endpointOf("ratings", env),
    },
    timeout: integerOf(env, "UPSTREAM_TIMEOUT_MS", 3_000, 3_600_000),
    floodFactor: integerOf(env, "FLOOD_FACTOR", 0, 1_000),
    ...(env.SESSION_SECRET ? { sessionSecret: env.SESSION_SECRET } : {}),
  };
}

/** The product page: the service that a browser talks to. */
export function createProductpage(options: ProductpageOptions): Server {
  const { endpoints, timeout = 3_000, floodFactor = 0, sessionSecret = randomBytes(32) } = options;
  const counter = createRequestCounter();
  const books = createBookClient(createClient(options), endpoints, timeout, counter);
  const sessions = createSessions(sessionSecret);
  const assets = loadAssets();

  /** A user who signed in is passed on; otherwise whatever `end-user` header came in is. */
  function outgoingHeaders(request: IncomingMessage): OutgoingHttpHeaders {
    const headers = propagate(request.headers);
    const user = sessions.userOf(request.headers.cookie);
    if (user !== undefined) headers["end-user"] = endUserHeader(user);
    return headers;
  }

  async function productPage(query: URLSearchParams, request: IncomingMessage): Promise<Answer> {
    const [product] = products;
    if (product === undefined) return failure(404, "The shop is empty.");
    const headers = outgoingHeaders(request);
    const id = String(product.id);
    const flood = books.flood(floodFactor, id, headers);
    // One after the other, so that a trace of the page reads from left to right.
    const details = await books.ask("details", id, headers);
    const reviews = await books.ask("reviews", id, headers);
    await flood;
    const user = sessions.userOf(request.headers.cookie);
    return page(renderProduct({ product, user, suggestTestUser: query.get("u") === "test", details, reviews }));
  }

  async function api(path: string, request: IncomingMessage): Promise<Answer> {
    const [, id, part] = /^\/api\/v1\/products\/([^/]+?)(?:\/(reviews|ratings))?\/?$/.exec(path) ?? [];
    if (id === undefined)
      return failure(404, "The API knows /api/v1/products, /{id}, /{id}/reviews and /{id}/ratings.");
    const destination = (part ?? "details") as Destination;
    const { status, body } = await books.ask(destination, decode(id), outgoingHeaders(request));
    return json(status, body);
  }

  async function login(request: IncomingMessage): Promise<Answer> {
    const form = await readText(request, longestForm);
    if (form === undefined) return failure(413, `A sign-in form has at most ${longestForm} bytes.`);
    const user = cleanUserName(new URLSearchParams(form).get("username") ?? "");
    return redirect(request, user === "" ? sessions.end() : sessions.start(user));
  }

  function get({ pathname: path, searchParams }: URL, request: IncomingMessage): Answer | Promise<Answer> {
    if (path === "/" || path === "/index.html") return page(renderHome());
    if (path === "/productpage") return productPage(searchParams, request);
    if (path === "/logout") return redirect(request, sessions.end());
    if (path === "/health") return text("The product page can be shown.\n");
    if (path === "/metrics") return { ...text(counter.render()), headers: { "content-type": metricsType } };
    if (path === "/api/v1/products") return json(200, products);
    if (path.startsWith("/api/v1/products/")) return api(path, request);
    return assets.get(path) ?? failure(404, "There is no such page. Start at /.");
  }

  return createService((method, url, request) => {
    if (url.pathname === "/login") return method === "POST" ? login(request) : failure(405, "Sign in with POST.");
    return method === "GET" ? get(url, request) : failure(405, "Pages can only be read.");
  });
}

const metricsType = "text/plain; version=0.0.4; charset=utf-8";

function text(body: string): Answer {
  return { status: 200, body, headers: { "content-type": "text/plain; charset=utf-8" } };
}

function page(markup: Html): Answer {
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy":
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'",
  };
  return { status: 200, body: markup.toString(), headers };
}

/** Back to where the browser came from, but never to another site: only the path of the referrer counts. */
function redirect(request: IncomingMessage, cookie: string): Answer {
  const referrer = request.headers.referer ?? "";
  const { pathname, search } = URL.canParse(referrer) ? new URL(referrer) : { pathname: "/productpage", search: "" };
  const location = pathname.replace(/^\/+/, "/") + search;
  return { status: 302, body: "", headers: { location, "set-cookie": cookie } };
}

/** A path segment as typed; left alone where its escapes are broken. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The files that the page needs, read once at the start. */
function loadAssets(): Map<string, Answer> {
  const types = { "bookinfo.css": "text/css; charset=utf-8", "bookinfo.svg": "image/svg+xml" };
  const assets = Object.entries(types).map(([file, type]): [string, Answer] => {
    const body = readFileSync(new URL(`../static/${file}`, import.meta.url));
    return [
      `/static/${file}`,
      { status: 200, body, headers: { "content-type": type, "cache-control": "max-age=3600" } },
    ];
  });
  return new Map(assets);
}

if (isProgram(import.meta.url)) runService("productpage", (env) => createProductpage(productpageOptionsOf(env)));
