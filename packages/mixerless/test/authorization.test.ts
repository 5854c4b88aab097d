import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { byEdge, sumBy } from "./edge-counts.ts";
import { RunningDemo } from "./running-demo.ts";

const run = promisify(execFile);
const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));
const METRIC = "istio_requests_total";
const FILE = "authorization.yaml";

function policy(name: string, app: string, action: string, rule: string): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: default }
spec:
  selector: { matchLabels: { app: ${app} } }
  action: ${action}
  rules:
    - ${rule}
`;
}

const BY_REQUEST =
  '{ to: [{ operation: { methods: ["GET"], paths: ["/product*"] } }], when: [{ key: "request.headers[x-shop]", values: ["closed"] }] }';

describe("an AuthorizationPolicy in the watched folder", () => {
  let demo: RunningDemo;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v3", "--mtls", "off");
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
  }, 20_000);

  let views = 0;

  async function view(headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
    const response = await fetch(`${demo.summary.ingress}/productpage`, { headers });
    views++;
    return { status: response.status, body: await response.text() };
  }
  const CLOSED = { "x-shop": "closed" };

  /** Asks until the answer is of that status: the policy has arrived, or has gone. */
  async function until(status: number): Promise<void> {
    while ((await view(CLOSED)).status !== status);
  }

  async function mixerless(...words: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [COMMAND, ...words, "--pilot", demo.summary.pilot]);
    return stdout;
  }

  /** Status of a request straight to the sidecar, its target as it stands, on a connection of its own. */
  function direct(target: string): Promise<number> {
    const [host, port] = demo.workload("productpage-v1").inbound.split(":");
    return new Promise((resolve, reject) => {
      get({ host, port, path: target, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on("error", reject);
    });
  }

  /** What grows by an action, once both reporters have counted every view before it. */
  async function growth(expected: number, action: () => Promise<void>): Promise<Record<string, number>> {
    for (;;) {
      const counted = sumBy(await demo.series(METRIC), "reporter", "source_workload", "destination_workload");
      const edges = Object.entries(counted).map(([edge, count]) => [edge.split(" "), count] as const);
      const sum = (reporter: string, callee: string) =>
        edges.reduce((total, [[of, , to], count]) => total + (of === reporter && to === callee ? count : 0), 0);
      const callees = new Set(edges.map(([[, , to = ""]]) => to));
      const agreed = [...callees].every((callee) => sum("source", callee) === sum("destination", callee));
      if (agreed && sum("source", "productpage-v1") === views) break;
    }
    return byEdge(await demo.growth(METRIC, expected, action));
  }

  it("denies by method, path and header with Envoy's answer, and both reporters count it", async () => {
    expect((await view(CLOSED)).status).toBe(200);
    await demo.write(FILE, policy("closing", "productpage", "DENY", BY_REQUEST));
    await until(403);
    const grown = await growth(6, async () => {
      for (let i = 0; i < 3; i++)
        expect(await view(CLOSED)).toMatchObject({ status: 403, body: "RBAC: access denied" });
    });
    expect(grown).toEqual({
      "source istio-ingressgateway productpage-v1 403 -": 3,
      "destination istio-ingressgateway productpage-v1 403 -": 3,
    });
  }, 60_000);

  it("is told by authz check as it is enforced, with rule, object, file and line", async () => {
    const flags = ["--from", "istio-ingressgateway", "--to", "productpage-v1", "--path", "/productpage"];
    const denied = await mixerless("authz", "check", ...flags, "--header", "x-shop: closed");
    expect(denied).toMatch(/^DENIED: productpage-v1\.default port \d+ \(HTTP\) from 127\.0\.\d+\.\d+, plaintext\n/);
    expect(denied).toMatch(
      /spec\.rules\[0\] of AuthorizationPolicy default\/closing \(.*authorization\.yaml:8\), action DENY/,
    );
    const allowed = await mixerless("authz", "check", ...flags, "-o", "json");
    expect(JSON.parse(allowed)).toMatchObject({ allowed: true, decisive: { action: "DENY", rule: null } });
  }, 60_000);

  it("lets everything else pass, and counts it as ever", async () => {
    const grown = await growth(16, async () => {
      expect((await view()).status).toBe(200);
      expect((await view({ "x-shop": "open" })).status).toBe(200);
    });
    expect(Object.keys(grown).filter((edge) => !edge.endsWith(" 200 -"))).toEqual([]);
    expect(grown["destination istio-ingressgateway productpage-v1 200 -"]).toBe(2);
  }, 60_000);

  it("is named, with its file, where the listener that it changed is shown", async () => {
    const dump = await demo.pilot("/debug/config_dump?proxyID=productpage-v1.default");
    expect(dump).toMatch(/AuthorizationPolicy default\/closing \(.*authorization\.yaml:4\)/);
    expect(await demo.pilot("/debug/config_dump?proxyID=details-v1.default")).not.toContain("AuthorizationPolicy");
  });

  it("allows by address: whom it does not name is refused two hops from the user", async () => {
    const ip = (workload: string) => demo.workload(workload).inbound.split(":")[0] ?? "";
    const others = `{ from: [{ source: { ipBlocks: ["${ip("reviews-v2")}"] } }] }`;
    await demo.write(FILE, policy("ratings-of-v2", "ratings", "ALLOW", others));
    await until(200);
    const grown = await growth(8, async () => {
      expect((await view()).status).toBe(200);
    });
    expect(grown).toMatchObject({
      "source reviews-v3 ratings-v1 403 -": 1,
      "destination reviews-v3 ratings-v1 403 -": 1,
      "destination productpage-v1 reviews-v3 200 -": 1,
    });
    const named = `{ from: [{ source: { ipBlocks: ["${ip("reviews-v3")}/32"], notIpBlocks: ["10.0.0.0/8"] } }] }`;
    await demo.write(FILE, policy("ratings-of-v3", "ratings", "ALLOW", named));
    let edges: Record<string, number> = {};
    while (edges["destination reviews-v3 ratings-v1 200 -"] === undefined)
      edges = await growth(8, async () => void (await view()));
  }, 60_000);

  it("that needs an authorizer denies what it matches, and says why", async () => {
    await demo.write(FILE, policy("asking", "productpage", "CUSTOM\n  provider: { name: nobody }", BY_REQUEST));
    await until(403);
    expect((await view()).status).toBe(200);
    const faults = JSON.parse(await demo.pilot("/debug/faultz")) as unknown[];
    expect(faults).toMatchObject([
      { code: "no-authorizer", object: "AuthorizationPolicy default/asking", path: "spec.action", line: 6 },
    ]);
  }, 60_000);

  it("on trial lets everything pass and counts what it would have denied", async () => {
    const denied = () => demo.series("envoy_http_rbac_shadow_denied");
    const trial = policy("trying", "productpage", "DENY", BY_REQUEST).replace(
      "namespace: default",
      'namespace: default, annotations: { istio.io/dry-run: "true" }',
    );
    await demo.write(FILE, trial);
    while ((await denied()).size === 0) await view(CLOSED);
    await until(200);
    const total = async () => [...(await denied()).values()].reduce((sum, count) => sum + count, 0);
    const before = await total();
    for (let i = 0; i < 3; i++) expect((await view(CLOSED)).status).toBe(200);
    expect((await view()).status).toBe(200);
    expect((await total()) - before).toBe(3);
  }, 60_000);

  it("on trial is a label of the metrics where the mesh wants it", async () => {
    const switches = '{ proxyMetadata: { MIXERLESS_DRY_RUN_LABELS: "true" } }';
    const spec = `{ defaultProviders: { metrics: [prometheus] }, defaultConfig: ${switches} }`;
    await demo.write("mesh.yaml", `kind: MeshConfig\nmetadata: { name: mesh }\nspec: ${spec}\n`);
    const results = async () => {
      const all = [...(await demo.series(METRIC)).keys()].map((labels) => JSON.parse(labels) as Record<string, string>);
      const here = all.filter(
        ({ reporter, destination_workload }) => reporter === "destination" && destination_workload === "productpage-v1",
      );
      return new Set(here.map((labels) => `${labels.response_code} ${labels.dry_run_deny} ${labels.dry_run_allow}`));
    };
    while (!(await results()).has("200 denied unknown")) await view(CLOSED);
    while (!(await results()).has("200 allowed unknown")) await view();
  }, 60_000);

  it("is named in the access log by the rule that decided", async () => {
    const log = join(demo.summary.config, "..", "access.log");
    const providers = "{ defaultProviders: { metrics: [prometheus] }, accessLogFile: LOG }";
    await demo.write(
      "mesh.yaml",
      `kind: MeshConfig\nmetadata: { name: mesh }\nspec: ${providers.replace("LOG", JSON.stringify(log))}\n`,
    );
    await demo.write(FILE, policy("closing", "productpage", "DENY", BY_REQUEST));
    const written = () => readFile(log, "utf8").catch(() => "");
    while (!(await written()).includes("rbac_access_denied")) await view(CLOSED);
    expect(await written()).toContain(" 403 - rbac_access_denied_matched_policy[ns[default]-policy[closing]-rule[0]] ");
  }, 60_000);

  it("has no effect once it is gone", async () => {
    await demo.remove(FILE);
    await until(200);
    const grown = await growth(8, async () => void (await view(CLOSED)));
    expect(Object.keys(grown).filter((edge) => !edge.endsWith(" 200 -"))).toEqual([]);
    expect(JSON.parse(await demo.pilot("/debug/faultz"))).toEqual([]);
  }, 60_000);

  it.each([
    ["/productpage?u=normal", 403],
    // Nobody sends a fragment.
    ["/productpage#top", 400],
    ["/./productpage", 403],
    ["/static/../productpage", 403],
    ["/static/%2e%2e/productpage", 403],
    ["/%70roductpage", 403],
    ["http://productpage:9080/productpage", 403],
  ] as const)(
    "is not walked around by %s",
    async (target, status) => {
      await demo.write(
        FILE,
        policy("page", "productpage", "DENY", '{ to: [{ operation: { paths: ["/productpage"] } }] }'),
      );
      while ((await direct("/productpage")) !== 403);
      expect(await direct("/health")).toBe(200);
      expect(await direct(target)).toBe(status);
    },
    60_000,
  );
});
