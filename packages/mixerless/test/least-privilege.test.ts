import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { RunningDemo } from "./running-demo.ts";

const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));
/** Of a registry, which nothing but the proxy that pulls from it may know. */
const LOGIN = "puller:a-password-of-a-registry";

/** A plugin that a workload has to log in for. */
const PULLED = `apiVersion: v1
kind: Secret
metadata: { name: registry, namespace: default }
type: kubernetes.io/dockerconfigjson
stringData: { .dockerconfigjson: '{"auths":{"127.0.0.1:1":{"auth":"${Buffer.from(LOGIN).toString("base64")}"}}}' }
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: pulled, namespace: default }
spec:
  selector: { matchLabels: { app: details } }
  url: oci://127.0.0.1:1/plugin:v1
  imagePullSecret: registry
  failStrategy: FAIL_OPEN
`;

let demo: RunningDemo;
let folder: string;

beforeAll(async () => {
  demo = await RunningDemo.start("--no-traffic", "--reviews", "v2", "--mtls", "strict", "--authz", "bookinfo");
  folder = dirname(demo.summary.config);
}, 60_000);

afterAll(async () => {
  await demo?.stop();
}, 20_000);

/** Every file below the demo's folder. */
function files(below = folder): string[] {
  return readdirSync(below, { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const read = (...path: string[]) => readFileSync(join(folder, ...path), "utf8").trim();

/** What nobody may find out: the join key, every token, every key of the authority. */
function secrets(): string[] {
  const tokens = readdirSync(join(folder, "tokens")).map((name) => read("tokens", name));
  const keys = read("authority", "authority.json").match(/PRIVATE KEY-----\\n([A-Za-z0-9+/=]{40})/g) ?? [];
  return [
    ...tokens,
    ...keys,
    read("authority", "join-key"),
    "PRIVATE KEY",
    LOGIN,
    Buffer.from(LOGIN).toString("base64"),
  ];
}

/** A step of the change of roots, as an operator asks for it. */
async function rotate(step: string): Promise<void> {
  const flags = ["--pilot", demo.summary.pilot, "--authority", join(folder, "authority")];
  await promisify(execFile)(process.execPath, [COMMAND, "ca", "rotate-root", step, ...flags], { timeout: 60_000 });
}

/** Processes of the demo, but the applications. */
const pids = () => [demo.summary.pilotPid, ...demo.summary.workloads.map(({ pid }) => pid)];

describe("a demo in which each workload may do what it needs", () => {
  it("shows its page", async () => {
    expect((await fetchPage(`${demo.summary.ingress}/productpage`)).status).toBe(200);
  });
});

describe("what the mesh keeps to itself", () => {
  it("lies in files that only their owner can read, and keys of workloads in none, also while a root is replaced", async () => {
    expect([mode(join(folder, "authority")), mode(join(folder, "tokens"))]).toEqual(["700", "700"]);
    const guarded = files().filter((path) => /\/(authority|tokens)\//.test(path));
    expect(guarded).toHaveLength(5 + demo.summary.workloads.length);
    for (const path of guarded) expect([path, mode(path)]).toEqual([path, "600"]);
    await rotate("add");
    const rotated = files().filter((path) => /\/(authority|tokens)\//.test(path));
    for (const path of rotated) expect([path, mode(path)]).toEqual([path, "600"]);
    const withKeys = files().filter((path) => readFileSync(path, "latin1").includes("PRIVATE KEY"));
    expect(withKeys).toEqual([join(folder, "authority", "authority.json")]);
  });

  it("is on no page of the control plane or of a proxy", async () => {
    const hidden = secrets();
    const ofProxies = [
      "/config_dump?include_eds",
      "/certs",
      "/ignored_fields",
      "/plugins",
      "/server_info",
      "/clusters",
      "/listeners",
      "/stats",
      "/help",
    ];
    const ofPilot = [
      "/metrics",
      "/debug/configz",
      "/debug/syncz",
      "/debug/adsz",
      "/debug/addressz",
      "/debug/caz",
      "/debug/registryz",
    ];
    const pages = [
      ...demo.summary.workloads.flatMap(({ admin, merged }) => [...ofProxies.map((path) => admin + path), merged]),
      ...ofPilot.map((path) => demo.summary.pilot + path),
      `${demo.summary.pilot}/debug/config_dump?proxyID=details-v1.default`,
    ];
    await demo.write("pulled.yaml", PULLED);
    while (!(await demo.pilot("/debug/configz")).includes("oci://127.0.0.1:1/plugin")) await demo.pilot("/metrics");
    for (const page of pages) {
      const { status, body } = await fetchPage(page);
      expect([page, status]).toEqual([page, 200]);
      for (const secret of hidden) expect(body.includes(secret), `${page} shows a secret`).toBe(false);
    }
    for (const secret of hidden) expect(demo.stderr.includes(secret), "the log shows a secret").toBe(false);
  }, 60_000);

  it.runIf(existsSync("/proc/self/environ"))("is neither in the environment nor in the arguments of a process", () => {
    const hidden = secrets();
    for (const pid of pids()) {
      const told = readFileSync(`/proc/${pid}/environ`, "latin1") + readFileSync(`/proc/${pid}/cmdline`, "latin1");
      for (const secret of hidden) expect(told.includes(secret)).toBe(false);
    }
  });

  it.runIf(existsSync("/proc/net/tcp"))("is asked for on loopback addresses only", () => {
    const listening = new Map<string, string>();
    for (const line of readFileSync("/proc/net/tcp", "latin1").split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      if (state === "0A") listening.set(inode, local);
    }
    const addresses = pids().flatMap((pid) =>
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1] ?? "";
        return listening.has(inode) ? [listening.get(inode) ?? ""] : [];
      }),
    );
    expect(addresses.length).toBeGreaterThan(7 * 4);
    // The first byte of the address comes last: 127.
    for (const address of addresses) expect(address).toMatch(/^[0-9A-F]{6}7F:/);
  });
});

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
