import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram, freePort, titled } from "../peers.ts";
import { startEmbedded } from "./embedded-proxy.ts";
import { EnvoyServer } from "./envoy-server.ts";
import { SAMPLES, type Sample, type SampleAddresses, sampleBootstrap } from "./sample-bootstraps.ts";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];
const SHIPPED = fileURLToPath(new URL("../../../samples/bootstraps", import.meta.url));

/** The one sample with the native filters, which only the embedded proxy has. */
const NATIVE = "istio-telemetry.json";

/** The bootstraps that users are shown. */
function shipped(): string[] {
  return readdirSync(SHIPPED).filter((name) => /\.(yaml|json)$/.test(name) && name !== NATIVE);
}

const COMPARED = ["location", "x-served", "x-secret", "content-type", "x-seen"];

describe.skipIf(without.some(Boolean))(
  titled("static samples in the embedded proxy and in stock Envoy", without),
  () => {
    const origins: Server[] = [];
    let folder: string;
    let ports: { blue: number; green: number };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "mixerless-samples-"));
      ports = { blue: await origin("blue"), green: await origin("green") };
    });

    afterAll(async () => {
      for (const server of origins) server.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function origin(name: string): Promise<number> {
      const server = createServer((request, response) => {
        const { "x-path": path = "", host = "" } = request.headers;
        const seen = `${path} ${host.startsWith("127.") ? "" : host}`.trim();
        response.writeHead(200, { "content-type": "text/plain", "x-secret": "1", "x-seen": seen });
        response.end(`${name} ${request.method} ${request.url}`);
      });
      origins.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return (server.address() as AddressInfo).port;
    }

    async function addresses(): Promise<SampleAddresses> {
      return { ...ports, listener: await freePort(), admin: await freePort() };
    }

    /** Status, body and telling headers of every answer. */
    async function answers({ requests }: Sample, port: number): Promise<object[]> {
      const found: object[] = [];
      for (const { path, ...more } of requests) {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...more, redirect: "manual" });
        const headers = Object.fromEntries(COMPARED.map((name) => [name, response.headers.get(name)]));
        const place = headers.location?.replace(`:${port}`, ":PORT") ?? null;
        found.push({ path, status: response.status, body: await response.text(), ...headers, location: place });
      }
      return found;
    }

    async function throughEnvoy(sample: Sample): Promise<object[]> {
      const where = await addresses();
      const file = join(folder, `${sample.name}.json`);
      await writeFile(file, JSON.stringify(sampleBootstrap(sample, where)));
      const checked = spawnSync(program ?? "", ["--mode", "validate", "-c", file], { encoding: "utf8" });
      expect(checked.status, checked.stderr).toBe(0);
      const envoy = await EnvoyServer.start(program ?? "", file, `http://127.0.0.1:${where.admin}`);
      try {
        return await answers(sample, where.listener);
      } finally {
        await envoy.stop();
      }
    }

    async function throughOurs(sample: Sample): Promise<object[]> {
      const where = await addresses();
      const proxy = await startEmbedded(sampleBootstrap(sample, where));
      try {
        return await answers(sample, where.listener);
      } finally {
        await proxy.close();
      }
    }

    it.each(shipped())("%s of samples/bootstraps is accepted by Envoy's check", (name) => {
      // Node's pipes are sockets, which nobody can open as /dev/stdout; a shell's are not.
      const script = 'set -o pipefail; "$0" --mode validate -c "$1" 2>&1 | cat';
      const checked = spawnSync("bash", ["-c", script, program ?? "", join(SHIPPED, name)], { encoding: "utf8" });
      expect(checked.status, checked.stderr).toBe(0);
    });

    it.each(SAMPLES)("$name: validated by Envoy, answered alike by both", async (sample) => {
      expect(await throughOurs(sample)).toEqual(await throughEnvoy(sample));
    });
  },
);
