import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, describe, expect, it } from "vitest";
import { httpGet } from "./http-get.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const get = (url: string) =>
  httpGet(new URL(url), {
    clock: new VirtualClock(),
    headers: { Authorization: "Basic secret", accept: "*/*" },
    timeout: 1000,
    limit: 100,
  });

describe("a redirect", () => {
  it.each([301, 302, 307])("of status %i to another host is followed without the login", async (status) => {
    const seen: (string | undefined)[] = [];
    const store = await serve((request, response) => {
      seen.push(request.headers.authorization, request.headers.accept);
      response.end("blob");
    });
    const registry = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(status, { location: `${store}/blob` }).end();
    });
    expect((await get(`${registry}/v2/blob`)).body.toString()).toBe("blob");
    expect(seen).toEqual(["Basic secret", undefined, "*/*"]);
  });

  it("within a host keeps the login", async () => {
    const host = await serve((request, response) => {
      if (request.url === "/b") response.end(request.headers.authorization);
      else response.writeHead(307, { location: "/b" }).end();
    });
    expect((await get(`${host}/a`)).body.toString()).toBe("Basic secret");
  });

  it("does not bring the login back on the way home", async () => {
    let home = "";
    const away = await serve((_request, response) => response.writeHead(302, { location: `${home}/b` }).end());
    home = await serve((request, response) => {
      if (request.url === "/b") response.end(request.headers.authorization ?? "none");
      else response.writeHead(302, { location: away }).end();
    });
    expect((await get(`${home}/a`)).body.toString()).toBe("none");
  });

  it("is followed five times at most", async () => {
    let asked = 0;
    const host = await serve((_request, response) => {
      asked++;
      response.writeHead(302, { location: "/again" }).end();
    });
    await expect(get(host)).rejects.toThrow("redirects more than 5 times");
    expect(asked).toBe(6);
  });
});
