import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TestIssuer } from "@mixerless/identity/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningDemo } from "./running-demo.ts";

const run = promisify(execFile);
const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));
const FILE = "tokens.yaml";

function authentication(rule: object): object {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name: "shop", namespace: "default" },
    spec: { selector: { matchLabels: { app: "productpage" } }, jwtRules: [rule] },
  };
}

const POLICY = {
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name: "shoppers", namespace: "default" },
  spec: {
    selector: { matchLabels: { app: "productpage" } },
    rules: [
      {
        from: [{ source: { requestPrincipals: ["https://issuer/*"] } }],
        when: [{ key: "request.auth.claims[scope]", values: ["shop"] }],
      },
    ],
  },
};

describe("tokens in a running mesh", () => {
  const issuer = new TestIssuer("https://issuer", "old");
  const rotated = new TestIssuer("https://issuer", "new");
  const forger = new TestIssuer("https://issuer", "old");
  let keys: { status: number; body: string } = { status: 200, body: issuer.jwks };
  let server: Server;
  let demo: RunningDemo;

  beforeAll(async () => {
    server = createServer((_request, response) => response.writeHead(keys.status).end(keys.body));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v3");
  }, 60_000);

  afterAll(async () => {
    server?.close();
    await demo?.stop();
  }, 20_000);

  const uri = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  const write = (rule: object, ...more: object[]) =>
    demo.write(FILE, [authentication(rule), ...more].map((one) => JSON.stringify(one)).join("\n---\n"));

  async function view(token: string | null): Promise<{ status: number; body: string; challenge: string | null }> {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${demo.summary.ingress}/productpage`, { headers });
    const body = await response.text();
    return { status: response.status, body: body.slice(0, 200), challenge: response.headers.get("www-authenticate") };
  }

  async function until(token: string | null, status: number): Promise<void> {
    while ((await view(token)).status !== status);
  }

  it("are verified with keys that the control plane fetched, and policies ask for what they say", async () => {
    await write({ issuer: issuer.issuer, jwksUri: uri() }, POLICY);
    await until(null, 403);
    expect(await view(null)).toMatchObject({ status: 403, body: "RBAC: access denied" });
    expect(await view(issuer.token({ scope: "read shop" }))).toMatchObject({ status: 200 });
    expect(await view(issuer.token({ scope: "read" }))).toMatchObject({ status: 403 });
    expect(await view(forger.token({ scope: "shop" }))).toMatchObject({
      status: 401,
      body: "Jwt verification fails",
      challenge: expect.stringMatching(/^Bearer realm="http:\/\/.*\/productpage", error="invalid_token"$/) as string,
    });
    expect(await view(rotated.token())).toMatchObject({
      status: 401,
      body: "Jwks doesn't have key to match kid or alg from Jwt",
    });
  }, 60_000);

  it("are told by authz check as they are taken, and by who-can", async () => {
    const mixerless = async (...words: string[]) =>
      (await run(process.execPath, [COMMAND, "authz", ...words, "--pilot", demo.summary.pilot])).stdout;
    const check = (token: string) =>
      mixerless("check", "--from", "istio-ingressgateway", "--to", "productpage-v1", "--jwt", token);
    const allowed = await check(issuer.token({ scope: "shop" }));
    expect(allowed).toMatch(/^ALLOWED: .*\n {2}The token of https:\/\/issuer\/ann is valid, by spec\.jwtRules\[0\] of/);
    expect(allowed).toMatch(/spec\.rules\[0\] of AuthorizationPolicy default\/shoppers \(.*tokens\.yaml:\d+\)/);
    expect(await check(forger.token())).toMatch(
      /^DENIED: .*\n {2}The token is refused, by .*: Jwt verification fails\./,
    );
    const who = await mixerless("who-can", "productpage-v1");
    expect(who).toMatch(/token of https:\/\/issuer\/\*: anything, if request\.auth\.claims\[scope\] is shop/);
    expect(who).toMatch(/Tokens of https:\/\/issuer are verified, by RequestAuthentication default\/shop \(/);
  }, 60_000);

  it("of an issuer whose keys cannot be had are refused, and the reason is told", async () => {
    keys = { status: 503, body: "" };
    await write({ issuer: issuer.issuer, jwksUri: `${uri()}?away` });
    await until(null, 200);
    expect(await view(issuer.token())).toMatchObject({ status: 401 });
    expect(JSON.parse(await demo.pilot("/debug/faultz"))).toMatchObject([
      {
        code: "no-key-set",
        object: "RequestAuthentication default/shop",
        path: "spec.jwtRules[0].jwksUri",
        message: expect.stringContaining("the answer is 503") as string,
      },
    ]);
    expect(await demo.pilot("/metrics")).toMatch(/^pilot_jwks_resolver_network_fetch_fail_total [1-9]/m);
    // It comes back, with a new key: nobody has to touch the configuration.
    keys = { status: 200, body: rotated.jwks };
    await until(rotated.token(), 200);
    expect(JSON.parse(await demo.pilot("/debug/faultz"))).toEqual([]);
    expect(await view(issuer.token())).toMatchObject({ status: 401 });
  }, 60_000);

  it("are nobody's business once the rule is gone", async () => {
    await demo.remove(FILE);
    await until(forger.token(), 200);
  }, 60_000);
});
