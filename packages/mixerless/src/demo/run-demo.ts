import { rm } from "node:fs/promises";
import { get } from "node:http";
import { resolve } from "node:path";
import type { Clock } from "@mixerless/clock";
import type { TelemetryMode } from "@mixerless/pilot";
import { type Edges, growth, readEdges } from "@mixerless/store";
import { type AddressPlan, type Endpoint, planAddresses, text } from "./address-plan.ts";
import { type DemoFiles, writeDemoFiles } from "./demo-files.ts";
import { renderEdges } from "./edge-table.ts";
import type { MeshChoices } from "./mesh-files.ts";
import { applicationProcess, consoleProcess, pilotProcess, secretsProcess, sidecarProcess } from "./processes.ts";
import { Supervisor } from "./supervisor.ts";
import { Traffic } from "./traffic.ts";
import { GATEWAY } from "./workloads.ts";

export interface DemoOptions extends MeshChoices {
  readonly traffic: boolean;
  readonly rate: number;
  readonly seed: number;
  /** Milliseconds; null runs until it is stopped. */
  readonly duration: number | null;
  /** More Istio configuration on top. */
  readonly config: readonly string[];
  readonly loopback: "many" | "single";
  readonly json: boolean;
  /** Whether the page that shows the mesh is served. */
  readonly console: boolean;
  readonly istioVersion: string;
  /** How proxies come by Istio's metrics. */
  readonly telemetry: TelemetryMode;
  /** Workloads whose sidecar somebody else runs. */
  readonly external: readonly string[];
  readonly clock: Clock;
  /** Milliseconds; 0: as the authority says. */
  readonly certificateLifetime: number;
}

const TABLE_INTERVAL = 5000;
/** A part that never becomes ready is named so often. */
const WAITING_INTERVAL = 10_000;

/** Runs the demo until it is stopped or its time is over. Leaves no process, port or file behind. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { clock } = options;
  const log = (message: string) => process.stderr.write(`${message}\n`);
  const plan = await planAddresses(options.loopback);
  const files = await writeDemoFiles(plan, options);
  const supervisor = new Supervisor(clock, log);
  const stopped = untilStopped(options, clock);
  let traffic: Traffic | null = null;
  try {
    const paths = [files.istio, ...options.config.map((path) => resolve(path))];
    const ready = startAll(supervisor, plan, paths, files, options);
    const patience = clock.every(WAITING_INTERVAL, () => log(`Still waiting for ${supervisor.waiting.join(", ")}.`));
    const first = await Promise.race([ready.then(() => "ready" as const), stopped]);
    patience.cancel();
    if (first === "ready") {
      announce(plan, files, supervisor, options);
      const ingress = ingressOf(plan);
      if (options.traffic) {
        traffic = new Traffic({ clock, target: ingress, rate: options.rate, seed: options.seed });
        traffic.start();
      }
      if (!options.json) showEdges(plan, clock);
      await stopped;
    }
  } finally {
    traffic?.close();
    await supervisor.stop();
    await rm(files.folder, { recursive: true, force: true });
    plan.release();
  }
}

async function startAll(
  supervisor: Supervisor,
  plan: AddressPlan,
  paths: readonly string[],
  { state, identities }: DemoFiles,
  options: DemoOptions,
): Promise<void> {
  const { istioVersion, external } = options;
  const started: Promise<void>[] = [supervisor.start(pilotProcess(plan, paths, options, identities))];
  if (options.console) started.push(supervisor.start(consoleProcess(plan)));
  for (const entry of plan.workloads) {
    if (!external.includes(entry.workload.name))
      started.push(supervisor.start(sidecarProcess(plan, entry, istioVersion, state, identities)));
    else if (identities !== null) started.push(supervisor.start(secretsProcess(entry, identities)));
    const application = applicationProcess(entry);
    if (application !== null) started.push(supervisor.start(application).then(() => untilListening(entry.application)));
  }
  await Promise.all(started);
}

/** Applications say nothing when they are ready; their health page does. Not through the mesh: its counts stay exact. */
async function untilListening(endpoint: Endpoint | null): Promise<void> {
  if (endpoint === null) return;
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await fetchText(endpoint, "/health")) !== null) return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error(`The application at ${text(endpoint)} does not answer.`);
}

function untilStopped(options: DemoOptions, clock: Clock): Promise<"stopped"> {
  return new Promise((wake) => {
    const stop = () => wake("stopped");
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    if (options.duration !== null) clock.after(options.duration, stop);
    // Timers of the clock do not keep a process alive; the demo runs until it is told to stop.
    const alive = setInterval(() => {}, 1 << 30);
    process.once("exit", () => clearInterval(alive));
  });
}

function ingressOf(plan: AddressPlan): Endpoint {
  const gateway = plan.workloads.find(({ workload }) => workload.name === GATEWAY);
  if (gateway === undefined) throw new Error("The plan has no gateway.");
  return gateway.inbound;
}

function announce(plan: AddressPlan, files: DemoFiles, supervisor: Supervisor, options: DemoOptions): void {
  const ingress = `http://${text(ingressOf(plan))}`;
  const pilot = `http://${text(plan.pilotHttp)}`;
  const consoleUrl = options.console ? `http://${text(plan.console)}` : null;
  if (!options.json) {
    if (consoleUrl !== null) process.stdout.write(`\nConsole         ${consoleUrl}`);
    process.stdout.write(
      `\nBookinfo        ${ingress}/productpage\nControl plane   ${pilot}/debug/syncz\nConfiguration   ${files.istio} (watched)\nPrometheus      prometheus --config.file=${files.prometheus}\n`,
    );
    for (const [name, path] of files.bootstraps) process.stdout.write(`Not started     ${name}: envoy -c ${path}\n`);
    for (const { workload, admin } of plan.workloads)
      process.stdout.write(`${workload.name.padEnd(22)}http://${text(admin)}/stats/prometheus\n`);
    process.stdout.write("\n");
    return;
  }
  const workloads = plan.workloads.map((entry) => {
    const { workload, inbound, application, admin, status } = entry;
    return {
      name: workload.name,
      namespace: workload.namespace,
      version: workload.version,
      inbound: text(inbound),
      ...(application === null ? {} : { app: text(application) }),
      admin: `http://${text(admin)}`,
      prometheus: `http://${text(admin)}/stats/prometheus`,
      merged: `http://${text(status)}/stats/prometheus`,
      ...dataPlane(workload.name, files, supervisor),
      ...(application === null ? {} : { appPid: supervisor.pid(`app ${workload.name}`) }),
    };
  });
  const summary = {
    ingress,
    pilot,
    ...(consoleUrl === null ? {} : { console: consoleUrl }),
    xds: text(plan.pilotGrpc),
    config: files.istio,
    prometheusConfig: files.prometheus,
    pilotPid: supervisor.pid("pilot"),
    workloads,
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
}

/** An external one is started by whoever asked for that. */
function dataPlane(name: string, { bootstraps }: DemoFiles, supervisor: Supervisor): object {
  const bootstrap = bootstraps.get(name);
  if (bootstrap !== undefined) return { dataPlane: "external", bootstrap };
  return { dataPlane: "embedded", pid: supervisor.pid(`sidecar ${name}`) };
}

/** A table of edges every few seconds; on a terminal in place of the one before. */
function showEdges(plan: AddressPlan, clock: Clock): void {
  let before: Edges = new Map();
  let scraped = clock.monotonic();
  let lines = 0;
  clock.every(TABLE_INTERVAL, () => {
    void scrape(plan).then((after) => {
      const now = clock.monotonic();
      const table = renderEdges(growth(before, after), (now - scraped) / 1000);
      const rewind = process.stdout.isTTY && lines > 0 ? `\u001b[${lines}A\u001b[0J` : "";
      process.stdout.write(`${rewind}${table}\n\n`);
      lines = table.split("\n").length + 1;
      before = after;
      scraped = now;
    });
  });
}

async function scrape(plan: AddressPlan): Promise<Edges> {
  const pages = await Promise.all(plan.workloads.map(({ admin }) => fetchText(admin, "/stats/prometheus")));
  return readEdges(pages.filter((page) => page !== null));
}

/** The body of a 200, else null. */
function fetchText({ ip, port }: Endpoint, path: string): Promise<string | null> {
  return new Promise((answer) => {
    const call = get({ host: ip, port, path, timeout: 2000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => answer(response.statusCode === 200 ? body : null));
    });
    call.on("error", () => answer(null));
    call.on("timeout", () => call.destroy());
  });
}
