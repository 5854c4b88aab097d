import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { compilePrices, fixture, freePort, hasPython, JoinedMesh, requestTotals } from "./joined-mesh.ts";

const TIMEOUT = 60_000;

describe("mixerless run", () => {
  let mesh: JoinedMesh;

  beforeAll(async () => {
    mesh = await JoinedMesh.start();
  }, TIMEOUT);

  afterAll(async () => {
    await mesh?.stop();
  }, TIMEOUT);

  const shell = (script: string, ...flags: string[]) => mesh.run("run", "--quiet", ...flags, "--", "sh", "-c", script);

  it(
    "gives the program its output, its environment and its exit code",
    async () => {
      const ran = await shell("echo out; echo err >&2; env; exit 5", "--name", "plain", "--calls", "stock:9000");
      expect(ran).toMatchObject({ code: 5, stderr: "err\n" });
      expect(ran.stdout).toMatch(/^out\n/);
      expect(ran.stdout).toMatch(/^PORT=\d+$/m);
      expect(ran.stdout).toMatch(/^STOCK_SERVICE_HOST=127\.\d+\.\d+\.1$/m);
      expect(ran.stdout).toMatch(/^STOCK_SERVICE_PORT=9000$/m);
    },
    TIMEOUT,
  );

  it(
    "ends by the signal that ended the program, and with 127 when there is none",
    async () => {
      const killed = mesh.command("run", "--quiet", "--name", "killed", "--", "sh", "-c", "kill -9 $$");
      await killed.ended;
      expect(killed.child.signalCode).toBe("SIGKILL");
      const missing = await mesh.run("run", "--quiet", "--name", "missing", "--", "/no/such/program");
      expect(missing).toMatchObject({ code: 127 });
      expect(missing.stderr).toMatch(/\/no\/such\/program cannot be started/);
    },
    TIMEOUT,
  );

  it(
    "passes signals on and says with whom a name clashes",
    async () => {
      const { running } = await mesh.join("--name", "shop", "--calls", "stock", "--", "node", fixture("shop.mjs"));
      const clash = await mesh.run("run", "--name", "shop", "--", "node", fixture("shop.mjs"));
      expect(clash.code).toBe(125);
      expect(clash.stderr).toMatch(
        new RegExp(`refuses this workload: the name shop-v1.default is taken by pid ${running.child.pid} on `),
      );
      running.child.kill("SIGTERM");
      expect(await running.ended).toMatchObject({ code: 7, stdout: "shop listens\n" });
    },
    TIMEOUT,
  );

  it(
    "sends callers to a program from the moment that it listens, and scrapes its series",
    async () => {
      const port = String(await freePort());
      const { running, status } = await mesh.join(
        ...["--name", "late", "--app-port", port, "--app-metrics", `${port}:/series`],
        ...["--", "node", "-e", LISTENS_WHEN_ASKED, port],
      );
      await running.prints(/^started$/m);
      expect(await mesh.endpoints("late")).toEqual([]);
      expect(await mesh.joined("late-v1")).toMatchObject({ connected: true, healthy: false });
      running.child.kill("SIGUSR2");
      await running.says(/late-v1\.default listens; callers are sent to it/);
      while ((await mesh.endpoints("late")).length === 0);
      expect(await mesh.joined("late-v1")).toMatchObject({ healthy: true });
      expect((await fetchPage(`${status}/stats/prometheus`)).body).toMatch(/^late_orders_total 3$/m);
      running.child.kill("SIGTERM");
      await running.ended;
      expect(await mesh.joined("late-v1")).toBeUndefined();
      while ((await mesh.endpoints("late")).length > 0);
    },
    TIMEOUT,
  );

  it(
    "refuses to scrape a port of its own sidecar",
    async () => {
      const ran = await shell("exit 0", "--name", "wrong", "--app-metrics", "15020");
      expect(ran.code).toBe(125);
      expect(ran.stderr).toMatch(/port 15020 belongs to the proxy/);
    },
    TIMEOUT,
  );

  it(
    "works where only 127.0.0.1 can be bound",
    async () => {
      const single = ["--loopback", "single"];
      await mesh.join("--name", "depot", ...single, "--", "node", "-e", PRICES_IN_NODE);
      const flags = ["--quiet", "--name", "caller", "--calls", "depot", ...single];
      const ran = await mesh.run("run", ...flags, "--", "node", "-e", CALL_DEPOT);
      expect(ran).toEqual({ code: 0, stdout: "prices 42 by 127.0.0.1\n", stderr: "" });
    },
    TIMEOUT,
  );

  it("writes the mesh down for other commands, readable by its owner alone", async () => {
    const [file = ""] = await readdir(join(mesh.folder, "mixerless"));
    expect(file).toMatch(/^mesh-\d+\.json$/);
  });

  it.skipIf(!hasPython())(
    "joins programs of any make, counts each edge exactly, and lets them come back",
    async () => {
      // Where nothing compiles a static program, a shop that calls nobody stands in for it.
      const program = compilePrices(mesh.folder);
      const prices = await mesh.join(
        ...["--name", "prices", "--"],
        ...(program === null ? ["node", "-e", PRICES_IN_NODE] : [program]),
      );
      const startStock = () => mesh.join("--name", "stock", "--calls", "prices", "--", "python3", fixture("stock.py"));
      const stock = await startStock();
      const shop = await mesh.join("--name", "shop", "--calls", "stock", "--", "node", fixture("shop.mjs"));

      const view = () => fetchPage(`http://${shop.inbound}/`).catch(() => ({ status: 0, body: "" }));
      const untilServed = async () => {
        while ((await view()).status !== 200);
      };
      await untilServed();
      await expectGrowth([shop.admin, stock.admin, prices.admin], view);

      stock.running.child.kill("SIGTERM");
      await stock.running.ended;
      // Dropped with the end of its program: nobody is sent there, and nothing of it is shown.
      expect(await mesh.joined("stock-v1")).toBeUndefined();
      expect((await view()).status).toBe(503);
      const again = await startStock();
      await untilServed();
      await expectGrowth([shop.admin, again.admin, prices.admin], view);
    },
    TIMEOUT,
  );
});

const PRICES_IN_NODE =
  'require("http").createServer((q, r) => r.end("prices 42")).listen(process.env.PORT, "127.0.0.1")';
const LISTENS_WHEN_ASKED = `
  const server = require("http").createServer((q, r) => r.end(q.url === "/series" ? "late_orders_total 3\\n" : ""));
  process.on("SIGUSR2", () => server.listen(process.argv[1], "127.0.0.1"));
  process.on("SIGTERM", () => process.exit(0));
  setInterval(() => {}, 1000);
  console.log("started");`;
const CALL_DEPOT = `
  const { DEPOT_SERVICE_HOST: host, DEPOT_SERVICE_PORT: port } = process.env;
  const call = () => fetch("http://" + host + ":" + port).then((answer) => (answer.ok ? answer.text() : call()));
  call().then((text) => console.log(text + " by " + host));`;
const VIEWS = 10;
const EDGES = [
  "destination unknown → shop-v1 200",
  "source shop-v1 → stock-v1 200",
  "destination shop-v1 → stock-v1 200",
  "source stock-v1 → prices-v1 200",
  "destination stock-v1 → prices-v1 200",
];

/** Views of the shop count once at its door and twice on each edge behind it. */
async function expectGrowth(
  admins: readonly string[],
  view: () => Promise<{ status: number; body: string }>,
): Promise<void> {
  const before = await requestTotals(admins);
  for (let i = 0; i < VIEWS; i++) expect(await view()).toEqual({ status: 200, body: "shop, stock, prices 42" });
  for (;;) {
    const after = await requestTotals(admins);
    const grown = Object.entries(after)
      .map(([key, value]): [string, number] => [key, value - (before[key] ?? 0)])
      .filter(([, by]) => by !== 0);
    // The last hop reports when its stream ends, a moment after the client has its answer.
    if (grown.reduce((sum, [, by]) => sum + by, 0) < VIEWS * EDGES.length) continue;
    expect(Object.fromEntries(grown)).toEqual(Object.fromEntries(EDGES.map((edge) => [edge, VIEWS])));
    return;
  }
}
