import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { networkInterfaces } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdminHandler, type AdminServer, startAdminServer } from "./admin-server.ts";

const TOKEN = "a-long-secret";

let changes = 0;
let server: AdminServer;

const HANDLERS: readonly AdminHandler[] = [
  { path: "/show", help: "show <it>", mutates: false, handle: (query) => ({ body: `shown ${query.get("a") ?? ""}` }) },
  {
    path: "/change",
    help: "change it",
    mutates: true,
    handle: () => {
      changes++;
      return { body: "changed" };
    },
  },
  {
    path: "/fail",
    help: "fail",
    mutates: false,
    handle: () => {
      throw new Error("no luck");
    },
  },
];

/** An address of this machine that is not loopback; null on machines without one. */
const OUTSIDE =
  Object.values(networkInterfaces())
    .flat()
    .find((entry) => entry?.family === "IPv4" && !entry.internal)?.address ?? null;

beforeEach(async () => {
  changes = 0;
  server = await startAdminServer({ ip: "0.0.0.0", port: 0 }, HANDLERS, { token: TOKEN });
});
afterEach(() => server.close());

async function ask(path: string, options: { method?: string; headers?: Record<string, string>; ip?: string } = {}) {
  const { method = "GET", headers = {}, ip = "127.0.0.1" } = options;
  const call = request({ host: ip, port: server.address.port, path, method, headers, agent: false });
  call.end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

describe("an admin server", () => {
  it("answers, and lists what it can do", async () => {
    expect(await ask("/show?a=b")).toMatchObject({ status: 200, body: "shown b" });
    expect((await ask("/help")).body).toBe(
      "admin commands are:\n  /: this page\n  /change: change it (POST)\n  /fail: fail\n  /help: this list\n  /show: show <it>\n",
    );
    const page = await ask("/");
    expect(page.headers["content-type"]).toBe("text/html; charset=UTF-8");
    expect(page.body).toContain('<a href="show">/show</a>');
    expect(page.body).toContain("show &lt;it&gt;");
    expect(page.body).toContain('<form action="change" method="post">');
    expect((await ask("/nothing")).status).toBe(404);
  });

  it("takes changes by POST only", async () => {
    expect(await ask("/change")).toMatchObject({ status: 405, body: "Method GET not allowed, POST required.\n" });
    expect(changes).toBe(0);
    expect((await ask("/change", { method: "POST" })).status).toBe(200);
    expect(changes).toBe(1);
  });

  it("answers what fails with 500 and goes on", async () => {
    expect(await ask("/fail")).toMatchObject({ status: 500, body: "no luck\n" });
    expect((await ask("/show")).status).toBe(200);
  });

  it("has no body for HEAD", async () => {
    expect(await ask("/show", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });
});

describe("a web page", () => {
  const post = (headers: Record<string, string>) => ask("/change", { method: "POST", headers });

  it("of a name that was made to point here is refused, reading and changing", async () => {
    expect((await ask("/show", { headers: { host: "evil.example" } })).status).toBe(403);
    expect((await post({ host: "evil.example:15000", origin: "http://evil.example:15000" })).status).toBe(403);
    expect((await ask("/", { headers: { host: "localhost.evil.example" } })).status).toBe(403);
    expect(changes).toBe(0);
  });

  it("of another site that posts to the loopback address is refused", async () => {
    expect((await post({ origin: "https://evil.example" })).status).toBe(403);
    expect((await post({ origin: "null" })).status).toBe(403);
    expect((await post({ "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await ask("/show", { headers: { origin: "https://evil.example" } })).status).toBe(403);
    expect(changes).toBe(0);
  });

  it("of this machine is served", async () => {
    expect((await post({ origin: "http://localhost:3000" })).status).toBe(200);
    expect((await post({ origin: "http://127.0.0.1:15000", "sec-fetch-site": "same-origin" })).status).toBe(200);
  });
});

describe.skipIf(OUTSIDE === null)("from beyond loopback (skipped where a machine has no other address)", () => {
  const ip = OUTSIDE ?? "";
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it("anybody reads, but changes need the token", async () => {
    expect((await ask("/show", { ip })).status).toBe(200);
    expect((await ask("/change", { ip, method: "POST" })).status).toBe(403);
    expect((await ask("/change", { ip, method: "POST", headers: bearer("wrong") })).status).toBe(403);
    expect(changes).toBe(0);
    expect((await ask("/change", { ip, method: "POST", headers: bearer(TOKEN) })).status).toBe(200);
  });

  it("a private server is read with the token only", async () => {
    await server.close();
    server = await startAdminServer({ ip: "0.0.0.0", port: 0 }, HANDLERS, { token: TOKEN, private: true });
    expect((await ask("/show", { ip })).status).toBe(403);
    expect((await ask("/show", { ip, headers: { ...bearer(TOKEN), host: "admin.example" } })).status).toBe(200);
    expect((await ask("/show")).status).toBe(200);
  });

  it("nobody changes anything where there is no token", async () => {
    await server.close();
    server = await startAdminServer({ ip: "0.0.0.0", port: 0 }, HANDLERS);
    expect(await ask("/change", { ip, method: "POST", headers: bearer("") })).toMatchObject({ status: 403 });
    expect(changes).toBe(0);
  });
});
