import { createServer } from "node:net";
import { findPilot } from "../mesh/find-pilot.ts";
import { fetchBody, fetchJson, fetchPage } from "../mesh/http.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { connectedProxies, type ProxyPlace } from "../mesh/proxies.ts";
import { VERSION } from "../version.ts";
import { entriesAt, textAt } from "../view/json.ts";
import { type Check, doubtful, failed, OK, type Verdict } from "./check.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** From what everything needs to what single proxies say. */
export function meshChecks(flag: string | undefined, environment: Environment, nodeVersion: string): Check[] {
  let pilot = new PilotClient("");
  let proxies: readonly ProxyPlace[] = [];
  const check = (section: string, what: string, run: () => Promise<Verdict>, fatal = false): Check => ({
    section,
    what,
    run,
    fatal,
  });
  const eachProxy = (ask: (place: ProxyPlace) => Promise<string | null>, hint: string) => async () => {
    const answers = await Promise.all(proxies.map(async (place) => ({ place, answer: await ask(place) })));
    const bad = answers.filter(({ answer }) => answer !== null);
    return bad.length === 0 ? OK : failed(bad.map(({ place, answer }) => `${place.key}: ${answer}`).join("\n"), hint);
  };
  return [
    check("this machine", "Node.js is 20.19 or newer", async () => nodeVerdict(nodeVersion)),
    check("this machine", "loopback addresses can be bound", loopbackVerdict),
    check(
      "control plane",
      "a mesh is running",
      async () => {
        pilot = new PilotClient(await findPilot(flag, environment));
        return OK;
      },
      true,
    ),
    check(
      "control plane",
      "it answers and has read its configuration",
      async () => {
        const { status } = await fetchPage(`${pilot.url}/ready`);
        return status === 200
          ? OK
          : failed(`${pilot.url}/ready answers ${status}.`, "Wait a moment, then look at its log.");
      },
      true,
    ),
    check("control plane", "it has the version of this command", async () => {
      const version = (await fetchBody(`${pilot.url}/version`)).trim();
      return version === VERSION
        ? OK
        : doubtful(`It is ${version}, this command ${VERSION}.`, "Start it again with the same installation.");
    }),
    check("configuration", "nothing is refused", () => faultVerdict(pilot, "error")),
    check("configuration", "nothing is doubtful", () => faultVerdict(pilot, "warning")),
    check("configuration", "every service has a healthy endpoint", () => endpointVerdict(pilot)),
    check(
      "data plane",
      "proxies are connected",
      async () => {
        proxies = await connectedProxies(pilot);
        return proxies.length > 0
          ? OK
          : failed("None is.", "Join a workload: mixerless run --name shop -- node shop.js");
      },
      true,
    ),
    check("data plane", "every proxy has accepted what it was sent", () => syncVerdict(pilot)),
    check(
      "data plane",
      "every proxy takes traffic",
      eachProxy(liveFault, "Look at its log; `mixerless proxy-config all <workload>` shows what it has."),
    ),
    check(
      "telemetry",
      "every proxy serves its series",
      eachProxy(seriesFault, "Prometheus cannot scrape a proxy whose admin address does not answer."),
    ),
  ];
}

async function nodeVerdict(version: string): Promise<Verdict> {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const isNew = major > 20 || (major === 20 && minor >= 19);
  return isNew ? OK : failed(`It is ${version}.`, "Install a newer Node.js.");
}

function loopbackVerdict(): Promise<Verdict> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) =>
      resolve(doubtful(`127.0.20.1: ${error.message}.`, "Use --loopback single, which needs 127.0.0.1 alone.")),
    );
    server.listen(0, "127.0.20.1", () => server.close(() => resolve(OK)));
  });
}

interface ShownFault {
  readonly severity: string;
  readonly object: string;
  readonly path: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

async function faultVerdict(pilot: PilotClient, severity: "error" | "warning"): Promise<Verdict> {
  const faults = await fetchJson<ShownFault[]>(`${pilot.url}/debug/faultz`);
  const found = faults.filter((fault) => fault.severity === severity);
  if (found.length === 0) return OK;
  const text = found
    .map(({ object, path, file, line, message }) => `${file}:${line} ${object} ${path}: ${message}`)
    .join("\n");
  const verdict = severity === "error" ? failed : doubtful;
  return verdict(
    text,
    "mixerless validate <file> says how to cure it. The last good version of each object stays in use.",
  );
}

async function endpointVerdict(pilot: PilotClient): Promise<Verdict> {
  const empty = (await pilot.registry())
    .filter(({ registry }) => registry === "kubernetes")
    .filter(({ ports }) => !ports.some(({ endpoints }) => endpoints.some(({ health }) => health === "healthy")))
    .map(({ hostname }) => hostname);
  if (empty.length === 0) return OK;
  return doubtful(`${empty.join(", ")}: callers get 503 (UH).`, "Start a workload whose labels the Service selects.");
}

async function syncVerdict(pilot: PilotClient): Promise<Verdict> {
  const proxies = await fetchJson<unknown[]>(`${pilot.url}/debug/syncz`);
  const refused: string[] = [];
  const waiting: string[] = [];
  for (const proxy of proxies) {
    for (const [type, resource] of entriesAt(proxy, "resources")) {
      const name = `${textAt(proxy, "proxy")} ${type.slice(type.lastIndexOf(".") + 1)}`;
      if (textAt(resource, "state") === "error") refused.push(name);
      if (textAt(resource, "state") === "stale") waiting.push(name);
    }
  }
  if (refused.length > 0)
    return failed(`Refused: ${refused.join(", ")}.`, "mixerless proxy-status -v 1 shows the reasons.");
  if (waiting.length > 0) return doubtful(`Not answered yet: ${waiting.join(", ")}.`, "Look again in a moment.");
  return OK;
}

async function liveFault({ admin }: ProxyPlace): Promise<string | null> {
  const page = await fetchPage(`${admin}/ready`).catch((error: Error) => error);
  if (page instanceof Error) return page.message;
  return page.status === 200 ? null : `its state is ${page.body.trim()}`;
}

async function seriesFault({ merged }: ProxyPlace): Promise<string | null> {
  const page = await fetchPage(merged).catch((error: Error) => error);
  if (page instanceof Error) return page.message;
  return page.status === 200 ? null : `${merged} answers ${page.status}`;
}
