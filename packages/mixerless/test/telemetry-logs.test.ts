import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { fetchPage } from "./fetch-page.ts";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";

let demo: RunningDemo;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "telemetry-logs-"));
  demo = await RunningDemo.start("--no-traffic", "--reviews", "v1");
}, 60_000);

afterAll(async () => {
  await demo?.stop();
  await rm(folder, { recursive: true, force: true });
}, 20_000);

const provider = (name: string, logFormat: object) => ({
  name,
  envoyFileAccessLog: { path: join(folder, name), logFormat },
});

interface Labels {
  readonly path: string;
  readonly code: number;
  readonly direction: number;
  readonly agent: string;
}

const labels = {
  path: "%REQ(:PATH)%",
  code: "%RESPONSE_CODE%",
  direction: "%TYPED_CEL(xds.listener_direction)%",
  agent: "%REQ(USER-AGENT)%",
};
const meshOf = () => ({
  kind: "MeshConfig",
  metadata: { name: "mesh" },
  spec: {
    extensionProviders: [
      provider("lines", { text: "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%" }),
      provider("objects", { labels }),
    ],
  },
});

const telemetry = (accessLogging: readonly object[]) => ({
  apiVersion: "telemetry.istio.io/v1",
  kind: "Telemetry",
  metadata: { name: "logs", namespace: "default" },
  spec: { selector: { matchLabels: { app: "productpage" } }, accessLogging },
});

const to = (name: string) => ({ providers: [{ name }] });
const SERVER_ERRORS = { match: { mode: "SERVER" }, ...to("lines"), filter: { expression: "response.code >= 400" } };
const CLIENT_OBJECTS = { match: { mode: "CLIENT" }, ...to("objects") };

/** Lines of a log file; those that are not written to their end are not there yet. */
async function linesOf(name: string): Promise<string[]> {
  return (await readFile(join(folder, name), "utf8").catch(() => "")).split("\n").slice(0, -1);
}

/** Writes the objects while views go on, until productpage's proxy `holds` them; a view more has closed what was before. */
async function change(objects: readonly object[], holds: (dump: string) => boolean): Promise<void> {
  const load = new Load(`${demo.summary.ingress}/productpage`, 1);
  await load.more(3);
  await demo.write("mesh.yaml", objects.map((document) => stringify(document)).join("---\n"));
  const dump = async () => (await fetchPage(`${demo.workload("productpage-v1").admin}/config_dump`)).body;
  while (!holds(await dump())) await load.more(1);
  await load.more(3);
  await load.stop();
  expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
  expect(await demo.pilot("/debug/faultz")).toBe("[]\n");
}

let marks = 0;

/** What both files get by two good views and three bad ones; lines are written a moment after the answer. */
async function logged(lines: number, objects: number): Promise<{ lines: string[]; objects: Labels[] }> {
  const agent = new Agent({ keepAlive: true });
  const mark = `mark-${marks++}.`;
  const view = (path: string) => statusOf(`${demo.summary.ingress}${path}`, agent, mark);
  for (let i = 0; i < 2; i++) expect(await view("/productpage")).toBe(200);
  for (let i = 0; i < 3; i++) expect(await view(`/static/${mark}`)).toBe(404);
  agent.destroy();
  for (;;) {
    const objectLines = (await linesOf("objects")).map((line) => JSON.parse(line) as Labels);
    const marked = {
      lines: (await linesOf("lines")).filter((line) => line.includes(mark)).map((line) => line.replace(mark, "MARK")),
      objects: objectLines.filter(({ agent: by }) => by === mark),
    };
    if (marked.lines.length >= lines && marked.objects.length >= objects) return marked;
  }
}

/** The applications hand the user agent on. */
function statusOf(url: string, agent: Agent, userAgent: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers: { "user-agent": userAgent } }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    });
    request.on("error", reject);
  });
}

const BAD = Array.from({ length: 3 }, () => "GET /static/MARK 404");

it("is logged as Telemetry says it, to each provider in its format, as it changes under load; no request fails", async () => {
  await change([meshOf(), telemetry([SERVER_ERRORS, CLIENT_OBJECTS])], (dump) =>
    dump.includes(join(folder, "objects")),
  );
  const both = await logged(3, 4);
  expect(both.lines).toEqual(BAD);
  const paths = both.objects.map(({ path }) => path).sort();
  expect(paths).toEqual(["/details/0", "/details/0", "/reviews/0", "/reviews/0"]);
  for (const { code, direction } of both.objects) expect({ code, direction }).toEqual({ code: 200, direction: 2 });

  const off = { match: { mode: "CLIENT" }, disabled: true };
  await change([meshOf(), telemetry([SERVER_ERRORS, off])], (dump) => !dump.includes(join(folder, "objects")));
  expect(await logged(3, 0)).toEqual({ lines: BAD, objects: [] });

  await change([meshOf()], (dump) => !dump.includes(join(folder, "lines")));
  expect(await logged(0, 0)).toEqual({ lines: [], objects: [] });
}, 60_000);
