import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningDemo } from "./running-demo.ts";

const run = promisify(execFile);
const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));

const GATEWAY = "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account";

function policy(name: string, action: string, rule: object): string {
  return JSON.stringify({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "default" },
    spec: { selector: { matchLabels: { app: "productpage" } }, action, rules: [rule] },
  });
}

describe("refusals by identity, under strict mutual TLS,", () => {
  let demo: RunningDemo;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v3", "--mtls", "strict");
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
  }, 20_000);

  async function view(): Promise<{ status: number; body: string }> {
    const response = await fetch(`${demo.summary.ingress}/productpage`);
    return { status: response.status, body: await response.text() };
  }

  const explain = (value: string) =>
    demo.write(
      "mesh.yaml",
      JSON.stringify({
        kind: "MeshConfig",
        metadata: { name: "mesh" },
        spec: {
          defaultProviders: { metrics: ["prometheus"] },
          defaultConfig: { proxyMetadata: { MIXERLESS_EXPLAIN_REFUSALS: value } },
        },
      }),
    );

  it("say nothing more than Envoy unless the mesh wants it", async () => {
    expect((await view()).status).toBe(200);
    const rule = { from: [{ source: { principals: [GATEWAY] } }] };
    await demo.write("closing.yaml", policy("closing", "DENY", rule));
    while ((await view()).status !== 403);
    expect(await view()).toEqual({ status: 403, body: "RBAC: access denied" });
  }, 60_000);

  it("name the rule that decided to a peer of the mesh", async () => {
    await explain("true");
    const named = "RBAC: access denied, rbac_access_denied_matched_policy[ns[default]-policy[closing]-rule[0]]";
    while ((await view()).body !== named);
    await demo.write("closing.yaml", policy("closing", "ALLOW", { from: [{ source: { namespaces: ["elsewhere"] } }] }));
    const none = "RBAC: access denied, rbac_access_denied_matched_policy[none]";
    while ((await view()).body !== none);
    await explain("false");
    while ((await view()).body !== "RBAC: access denied");
  }, 60_000);

  it("are told by authz for a certificate and for a caller without one", async () => {
    const rule = { from: [{ source: { principals: [GATEWAY] } }] };
    await demo.write("closing.yaml", policy("opening", "ALLOW", rule));
    while ((await view()).status !== 200);
    const authz = async (...words: string[]) =>
      (await run(process.execPath, [COMMAND, "authz", ...words, "--pilot", demo.summary.pilot])).stdout;
    const check = (...words: string[]) => authz("check", "--to", "productpage-v1", ...words);
    expect(await check("--from", `spiffe://${GATEWAY}`)).toMatch(
      /^ALLOWED: .*\n {2}spec\.rules\[0\] of .*\/opening \(/,
    );
    expect(await check("--from", "reviews-v3", "--mtls")).toMatch(
      /^DENIED: .*\n {2}There are ALLOW policies and no rule/,
    );
    expect(await check("--source-ip", "127.0.0.1")).toMatch(
      /^DENIED: .*\n {2}The port takes mutual TLS only, by .* of PeerAuthentication istio-system\/default \(/,
    );
    expect(await authz("who-can", "productpage-v1")).toMatch(
      new RegExp(`mutual TLS only, by PeerAuthentication .*\\n {2}Allowed:\\n {4}principal ${GATEWAY}: anything\\n`),
    );
  }, 60_000);
});
