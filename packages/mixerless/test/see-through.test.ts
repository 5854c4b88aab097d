import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { fixture, JoinedMesh } from "./joined-mesh.ts";

const TIMEOUT = 60_000;
const VIEWS = 5;
const STOCK = 'require("http").createServer((q, r) => r.end("stock")).listen(process.env.PORT, "127.0.0.1")';

describe("commands that look into a running mesh", () => {
  let mesh: JoinedMesh;
  let door: string;
  let admin: string;

  beforeAll(async () => {
    mesh = await JoinedMesh.start();
    await mesh.join("--name", "stock", "--", "node", "-e", STOCK);
    const shop = await mesh.join("--name", "shop", "--calls", "stock", "--", "node", fixture("shop.mjs"));
    door = `http://${shop.inbound}/`;
    admin = shop.admin;
    const view = () => fetchPage(door).catch(() => ({ status: 0 }));
    while ((await view()).status !== 200);
  }, TIMEOUT);

  afterAll(async () => {
    await mesh?.stop();
  }, TIMEOUT);

  /** Standard output of a command that must succeed, without anything that only terminals understand. */
  async function output(...parameters: string[]): Promise<string> {
    const ran = await mesh.run(...parameters);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).not.toContain("\u001b");
    return ran.stdout;
  }

  const rows = (text: string) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));

  it(
    "edges counts each edge exactly",
    async () => {
      const total = async () =>
        (
          JSON.parse(await output("edges", "--total", "-o", "json")) as {
            source: string;
            destination: string;
            requests: number;
          }[]
        ).map(({ source, destination, requests }): [string, number] => [`${source} → ${destination}`, requests]);
      const before = new Map(await total());
      for (let i = 0; i < VIEWS; i++) expect((await fetchPage(door)).status).toBe(200);
      const grown = async () => (await total()).map(([edge, requests]) => [edge, requests - (before.get(edge) ?? 0)]);
      let now = await grown();
      // The last hop reports a moment after the client has its answer.
      while (now.some(([, by]) => by !== VIEWS)) now = await grown();
      expect(now).toEqual([
        ["shop-v1 → stock-v1", VIEWS],
        ["unknown → shop-v1", VIEWS],
      ]);
    },
    TIMEOUT,
  );

  it(
    "stat lists every workload",
    async () => {
      const [header, ...lines] = rows(await output("stat", "--total"));
      expect(header?.slice(0, 4)).toEqual(["NAME", "NAMESPACE", "SUCCESS", "RPS"]);
      expect(lines.map(([name]) => name)).toEqual(["shop-v1", "stock-v1"]);
    },
    TIMEOUT,
  );

  it(
    "proxy-status lists who is connected, and finds no difference to what each should have",
    async () => {
      const [header, ...lines] = rows(await output("proxy-status"));
      expect(header).toEqual(["NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED TYPES"]);
      expect(lines.map(([name, cluster]) => [name, cluster])).toEqual([
        ["shop-v1.default", "Kubernetes"],
        ["stock-v1.default", "Kubernetes"],
      ]);
      expect(lines[0]?.[4]).toBe("4 (CDS,LDS,EDS,RDS)");
      expect(await output("ps", "shop-v1")).toBe("Clusters Match\nListeners Match\nEndpoints Match\nRoutes Match\n");
      const verbose = await output("ps", "shop-v1", "-v", "1");
      expect(verbose).toContain("Routes Match\nIgnored fields (accepted by the proxy, not acted on)\n");
      expect(verbose).toContain("  envoy.config.cluster.v3.CircuitBreakers.Thresholds track_remaining (cluster ");
    },
    TIMEOUT,
  );

  it(
    "proxy-config shows listeners and endpoints, from the proxy and from a saved dump",
    async () => {
      const [header, ...lines] = rows(await output("proxy-config", "listeners", "shop-v1", "--type", "HTTP"));
      expect(header).toEqual(["ADDRESSES", "PORT", "MATCH", "DESTINATION"]);
      expect(lines).toContainEqual([new URL(door).hostname, "8080", "ALL", "Cluster: inbound|8080||"]);
      const cluster = "outbound|8080||stock.default.svc.cluster.local";
      const [, endpoint] = rows(await output("pc", "ep", "deploy/shop-v1.default", "--cluster", cluster));
      expect(endpoint?.slice(1)).toEqual(["HEALTHY", cluster]);
      const dump = join(mesh.folder, "dump.json");
      await writeFile(dump, (await fetchPage(`${admin}/config_dump?include_eds`)).body);
      expect(await output("pc", "listeners", "-f", dump)).toBe(await output("pc", "listeners", "shop-v1"));
    },
    TIMEOUT,
  );

  it(
    "proxy-config log changes levels of a running proxy",
    async () => {
      expect(await output("pc", "log", "shop-v1", "--level", "config:debug")).toContain("  config: debug\n");
      expect(await output("pc", "log", "shop-v1", "-r")).toContain("  config: info\n");
      const unknown = await mesh.run("pc", "log", "shop-v1", "--level", "extensions:debug");
      expect(unknown).toMatchObject({ code: 1 });
      expect(unknown.stderr).toMatch(/unknown logger "extensions"; loggers are config/);
    },
    TIMEOUT,
  );

  it(
    "x describe tells the service of a workload, check finds nothing wrong",
    async () => {
      expect(await output("x", "describe", "stock-v1")).toMatch(
        /Service: stock\.default\n.*\n {3}Port: http 8080\/HTTP targets 127\.0\./,
      );
      expect(await output("check")).toMatch(/√ every proxy serves its series\n\nStatus check results are √\n$/);
    },
    TIMEOUT,
  );

  it(
    "end with 1 and the known names for an unknown workload, with 2 for a wrong flag",
    async () => {
      const unknown = await mesh.run("pc", "routes", "nobody");
      expect(unknown).toMatchObject({ code: 1, stdout: "" });
      expect(unknown.stderr).toMatch(
        /No proxy "nobody" is connected\. Connected: shop-v1\.default, stock-v1\.default\./,
      );
      expect((await mesh.run("stat", "--no-such-flag")).code).toBe(2);
    },
    TIMEOUT,
  );

  it(
    "validate refuses a broken file with object, path, line and cure",
    async () => {
      const broken = join(mesh.folder, "broken.yaml");
      await writeFile(broken, "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: 70000}]\n");
      const ran = await mesh.run("validate", broken);
      expect(ran.code).toBe(1);
      expect(ran.stdout).toMatch(
        /:5:\d+: Service default\/a spec\.ports\[0\]\.port\n(.*\n)*.*Cure: (.*\n)*validation failed: 1 error\n$/,
      );
    },
    TIMEOUT,
  );
});
