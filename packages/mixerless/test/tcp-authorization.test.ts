import { readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { parseExposition } from "@mixerless/metrics";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { JoinedMesh } from "./joined-mesh.ts";

const TIMEOUT = 60_000;
/** Speaks first, then gives back what it is told. */
const ECHO =
  'require("net").createServer((s) => { s.write("hello "); s.pipe(s); s.on("error", () => {}); }).listen(process.env.PORT, "127.0.0.1")';

/** A policy of everything in the namespace, as YAML that is JSON. */
function policy(action: string, rules: readonly object[], annotations: object = {}): object {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "echoes", namespace: "default", annotations },
    spec: { action, rules },
  };
}

const from = (...ipBlocks: string[]) => ({ from: [{ source: { ipBlocks } }] });

describe("an AuthorizationPolicy on connections", () => {
  let mesh: JoinedMesh;
  let server: { inbound: string; admin: string };

  beforeAll(async () => {
    mesh = await JoinedMesh.start();
    server = await mesh.join("--name", "echo", "--protocol", "tcp", "--", "node", "-e", ECHO);
  }, TIMEOUT);

  afterAll(async () => {
    await mesh?.stop();
  }, TIMEOUT);

  const file = () => join(mesh.folder, "istio", "policy.yaml");
  const apply = (...objects: object[]) => writeFile(file(), objects.map((one) => JSON.stringify(one)).join("\n---\n"));

  /** What a client hears on one connection. */
  function talk(text: string): Promise<string> {
    const [host = "", port] = server.inbound.split(":");
    return new Promise((resolve) => {
      let heard = "";
      const socket = connect({ host, port: Number(port) }, () => socket.write(text));
      socket.setEncoding("utf8").on("data", (piece: string) => {
        heard += piece;
        if (heard.endsWith(text)) socket.end();
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(heard));
    });
  }

  async function until(heard: string): Promise<void> {
    while ((await talk("x")) !== heard);
  }

  async function total(metric: string): Promise<number> {
    const parsed = parseExposition((await fetchPage(`${server.admin}/stats/prometheus`)).body);
    if (!("samples" in parsed)) throw new Error(JSON.stringify(parsed));
    return parsed.samples.reduce((sum, { name, value }) => (name === metric ? sum + value : sum), 0);
  }

  it(
    "refuses whom it does not name: no byte in either direction, and counts it",
    async () => {
      // The program may take a moment to listen.
      await until("hello x");
      await apply(policy("ALLOW", [from("10.9.9.9")]));
      await until("");
      const before = await total("envoy_denied");
      for (let i = 0; i < 3; i++) expect(await talk("you")).toBe("");
      expect((await total("envoy_denied")) - before).toBe(3);
      await apply(policy("ALLOW", [from("127.0.0.0/8")]));
      await until("hello x");
    },
    TIMEOUT,
  );

  it(
    "that asks for what only requests have allows nothing and denies the more, as authz says",
    async () => {
      const posts = { to: [{ operation: { methods: ["POST"] } }] };
      await apply(policy("ALLOW", [posts, from("10.9.9.9")]));
      await until("");
      const who = await mesh.run("authz", "who-can", "echo-v1", "--pilot", mesh.pilot);
      expect(who.stderr).toBe("");
      expect(who.stdout).toMatch(/\(TCP\).*\n {2}Allowed:\n {4}address 10\.9\.9\.9: anything\n {6}spec\.rules\[1\] of/);
      await apply(policy("DENY", [from("10.9.9.9")]));
      await until("hello x");
      await apply(policy("DENY", [posts]));
      await until("");
      const flags = ["--source-ip", "127.0.0.1", "--to", "echo-v1", "--pilot", mesh.pilot];
      const check = await mesh.run("authz", "check", ...flags);
      expect(check.stdout).toMatch(
        /^DENIED: echo-v1\.default port \d+ \(TCP\) from 127\.0\.0\.1, plaintext\n {2}spec\.rules\[0\] of/,
      );
    },
    TIMEOUT,
  );

  it(
    "that audits marks connections for the log, and one on trial counts: both let everything pass",
    async () => {
      const log = join(mesh.folder, "access.log");
      const format =
        "%DYNAMIC_METADATA(envoy.common:access_log_hint)% %DYNAMIC_METADATA(envoy.filters.network.rbac)%\n";
      const spec = { defaultProviders: { metrics: ["prometheus"] }, accessLogFile: log, accessLogFormat: format };
      const settings = { kind: "MeshConfig", metadata: { name: "mesh" }, spec };
      const trial = policy("DENY", [from("127.0.0.0/8")], { "istio.io/dry-run": "true" });
      const audit = policy("AUDIT", [from("127.0.0.0/8")]);
      await apply(settings, audit, {
        ...trial,
        metadata: { ...(trial as { metadata: object }).metadata, name: "trial" },
      });
      const denied = '"istio_dry_run_deny_shadow_engine_result":"denied"';
      const by = '"istio_dry_run_deny_shadow_effective_policy_id":"ns[default]-policy[trial]-rule[0]"';
      const written = () => readFile(log, "utf8").catch(() => "");
      const isMarked = (line: string) => line.startsWith("true ") && line.includes(denied) && line.includes(by);
      while (!(await written()).split("\n").some(isMarked)) await talk("x");
      const before = await total("envoy_istio_dry_run_deny__shadow_denied");
      for (let i = 0; i < 3; i++) expect(await talk("you")).toBe("hello you");
      expect((await total("envoy_istio_dry_run_deny__shadow_denied")) - before).toBe(3);
      await rm(file());
    },
    TIMEOUT,
  );
});
