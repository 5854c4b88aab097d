import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { readAppProbes, runAppProbe } from "./app-probes.ts";

const READY = "/app-health/web/readyz";

function probes(value: unknown) {
  return readAppProbes({ ISTIO_KUBE_APP_PROBERS: typeof value === "string" ? value : JSON.stringify(value) });
}

describe("the probes of an application", () => {
  it("are read as the injector writes them", () => {
    expect(
      probes({
        [READY]: { httpGet: { path: "ready", port: 8080, httpHeaders: [{ name: "X-A", value: "1" }] } },
        "/app-health/web/livez": { tcpSocket: { port: 8080 }, timeoutSeconds: 3 },
      }),
    ).toEqual([
      {
        path: READY,
        target: { kind: "http", secure: false, port: 8080, path: "/ready", headers: { "x-a": "1" } },
        timeout: 1000,
      },
      { path: "/app-health/web/livez", target: { kind: "tcp", port: 8080 }, timeout: 3000 },
    ]);
    expect(readAppProbes({})).toEqual([]);
  });

  it.each([
    ["{", "ISTIO_KUBE_APP_PROBERS is not JSON"],
    [{ "/x": {} }, "/x must be /app-health/"],
    [{ [READY]: {} }, `${READY} needs httpGet or tcpSocket`],
    [{ [READY]: { httpGet: { port: "web" } } }, `${READY}.httpGet.port must be a port number`],
    [{ [READY]: { grpc: { port: 1 } } }, "gRPC probe, which this agent does not carry out"],
  ])("are refused by field: %j", (value, message) => {
    expect(() => probes(value)).toThrow(message);
  });

  it("give the application's status, or 500 where it does not answer in time or at all", async () => {
    const clock = new VirtualClock();
    let asked = () => {};
    const whenAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const server = createServer((request, response) => {
      if (request.url === "/slow") asked();
      else response.writeHead(request.headers["x-a"] === "1" ? 204 : 503).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const run = (probe: object) => {
      const [read] = probes({ [READY]: probe });
      return read === undefined ? 0 : runAppProbe(read, "127.0.0.1", clock);
    };
    expect(await run({ httpGet: { port, httpHeaders: [{ name: "x-a", value: "1" }] } })).toBe(204);
    expect(await run({ httpGet: { port } })).toBe(503);
    expect(await run({ tcpSocket: { port } })).toBe(200);
    const slow = run({ httpGet: { port, path: "/slow" }, timeoutSeconds: 2 });
    await whenAsked;
    clock.advance(2000);
    expect(await slow).toBe(500);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    expect(await run({ tcpSocket: { port } })).toBe(500);
    expect(await run({ httpGet: { port } })).toBe(500);
  });
});
