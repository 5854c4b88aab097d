import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningDemo } from "../../../packages/mixerless/test/running-demo.ts";
import { freePort, titled } from "../peers.ts";

const ECHO = fileURLToPath(new URL("./echo.mjs", import.meta.url));
const SAY = fileURLToPath(new URL("./say.py", import.meta.url));
/** Debian's own, which has the packages of Debian. */
const PYTHON = "/usr/bin/python3";
const TARGET = "xds:///echo.default.svc.cluster.local:7070";
const CALLS = 20;

const hasNode = existsSync(fileURLToPath(new URL("../../node_modules/@grpc/grpc-js-xds", import.meta.url)));
const hasPython = existsSync(PYTHON) && spawnSync(PYTHON, ["-c", "import grpc"]).status === 0;
const without = [!hasNode && "no @grpc/grpc-js-xds, npm run interop:setup installs it"];

const CLIENTS = [
  { name: "grpc-js-xds", command: [process.execPath, ECHO, "call"], missing: [] },
  { name: "gRPC's C core", command: [PYTHON, SAY], missing: [!hasPython && "no python3-grpcio"] },
] as const;

function workload(name: string, port: number): string {
  return `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: echo-${name}, namespace: default, labels: {app: echo, version: ${name}}}
spec: {address: 127.0.0.1, ports: {grpc: ${port}}, labels: {app: echo, version: ${name}}}
---
`;
}

const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: echo, namespace: default}
spec: {selector: {app: echo}, ports: [{name: grpc, port: 7070, targetPort: 7070}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo, namespace: default}
spec: {host: echo, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
`;

const PINNED = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo, namespace: default}
spec: {hosts: [echo], http: [{route: [{destination: {host: echo, subset: v2}}]}]}
`;

describe.skipIf(without.some(Boolean))(titled("another xDS client", without), () => {
  const servers: ChildProcess[] = [];
  let demo: RunningDemo;
  let ports: { v1: number; v2: number };

  beforeAll(async () => {
    ports = { v1: await freePort(), v2: await freePort() };
    for (const [name, port] of Object.entries(ports)) {
      const server = spawn(process.execPath, [ECHO, "serve", name, String(port)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      servers.push(server);
      await once(server.stdout as NodeJS.ReadableStream, "data");
    }
    demo = await RunningDemo.start("--no-traffic", "--mtls", "off");
    await demo.write("echo.yaml", `${workload("v1", ports.v1)}${workload("v2", ports.v2)}${SERVICE}`);
    await shown("echo.default.svc.cluster.local");
  });

  afterAll(async () => {
    for (const server of servers) server.kill();
    await demo?.stop();
  });

  /** Waits for the control plane to show a text among its services or objects. */
  async function shown(text: string): Promise<void> {
    while (
      !(await demo.pilot("/debug/registryz")).includes(text) &&
      !(await demo.pilot("/debug/configz")).includes(text)
    )
      await new Promise((wake) => setTimeout(wake, 50));
  }

  /** Answer → number of calls that got it. */
  async function answers([program = "", ...words]: readonly string[]): Promise<Record<string, number>> {
    const node = {
      id: "sidecar~127.0.0.9~caller.default~default.svc.cluster.local",
      metadata: { GENERATOR: "grpc", NAMESPACE: "default", INSTANCE_IPS: "127.0.0.9" },
      locality: {},
    };
    const server = { server_uri: demo.summary.xds, channel_creds: [{ type: "insecure" }], server_features: ["xds_v3"] };
    const bootstrap = JSON.stringify({ xds_servers: [server], node });
    const env = { ...process.env, GRPC_XDS_BOOTSTRAP_CONFIG: bootstrap };
    const { stdout } = await promisify(execFile)(program, [...words, TARGET, String(CALLS)], { env });
    const counts: Record<string, number> = {};
    for (const answer of JSON.parse(stdout) as string[]) counts[answer] = (counts[answer] ?? 0) + 1;
    return counts;
  }

  describe.each(CLIENTS)("$name", ({ command, missing }) => {
    it.skipIf(missing.some(Boolean))(titled("reaches both endpoints of a service in turn", missing), async () => {
      // A client may begin with the endpoint that it reaches first, so the halves are not exact.
      const { v1 = 0, v2 = 0, ...others } = await answers(command);
      expect(others).toEqual({});
      expect(v1 + v2).toBe(CALLS);
      expect(Math.min(v1, v2)).toBeGreaterThan(CALLS / 4);
    });
  });

  describe.each(CLIENTS)("$name, with a VirtualService", ({ command, missing }) => {
    it.skipIf(missing.some(Boolean))(titled("follows it", missing), async () => {
      await demo.write("pinned.yaml", PINNED);
      while (!(await demo.pilot("/debug/configz")).includes('"VirtualService"') || !(await pinned()))
        await new Promise((wake) => setTimeout(wake, 50));
      expect(await answers(command)).toEqual({ v2: CALLS });
    });
  });

  async function pinned(): Promise<boolean> {
    const objects = JSON.parse(await demo.pilot("/debug/configz")) as { kind: string; metadata: { name: string } }[];
    return objects.some(({ kind, metadata }) => kind === "VirtualService" && metadata.name === "echo");
  }
});
