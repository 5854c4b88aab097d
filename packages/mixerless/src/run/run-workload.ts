import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type Agent, runAgent, type WorkloadIdentity } from "@mixerless/agent";
import type { Clock } from "@mixerless/clock";
import { freePorts } from "../demo/address-plan.ts";
import { CommandError } from "../mesh/command-error.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { stateFolder } from "../mesh/state-file.ts";
import { VERSION } from "../version.ts";
import { type ProgramEnd, runProgram } from "./child-program.ts";
import { HeldLog } from "./held-log.ts";
import { meshCertificate } from "./mesh-certificate.ts";
import { programEnvironment } from "./program-environment.ts";
import {
  type Loopback,
  manyAddresses,
  type RunAddresses,
  singleAddresses,
  supportsManyAddresses,
} from "./run-addresses.ts";
import { type ServiceCall, serviceCalls } from "./service-calls.ts";
import { untilListening } from "./until-listening.ts";

export interface RunOptions {
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  /** Of the service that callers see. */
  readonly port: number;
  readonly protocol: "http" | "http2" | "grpc" | "tcp";
  /** Where the program listens on 127.0.0.1; null gives it a free port. */
  readonly appPort: number | null;
  readonly calls: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Where the program has series, `port[:path],…`; null: nowhere. */
  readonly appMetrics: string | null;
  readonly serviceAccount: string;
  readonly pilot: string;
  readonly loopback: Loopback | "auto";
  /** `none`: without Istio's metrics, whatever the control plane has for others. */
  readonly telemetry: "native" | "none";
  readonly istioVersion: string;
  readonly command: readonly string[];
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

const QUESTION_INTERVAL = 100;

/** Joins the mesh, runs the program beside its sidecar, and resolves with the program's end. */
export async function runWorkload(options: RunOptions): Promise<ProgramEnd> {
  const pilot = new PilotClient(options.pilot);
  const [registry, xds] = await Promise.all([pilot.registry(), pilot.xdsAddresses()]);
  const calls = serviceCalls(registry, { service: options.name, namespace: options.namespace }, options.calls);
  const appPort = options.appPort ?? (await freePorts(1))[0] ?? 0;
  const instance = randomUUID();
  const held = new HeldLog(options.log, options.clock);
  const { agent, addresses } = await startSidecar({ ...options, log: held.log }, appPort, instance, xds, calls);
  try {
    await untilJoined(pilot, instance, agent, options);
    held.release();
    const { inbound, sidecar } = addresses;
    options.log(
      `${workloadName(options)}.${options.namespace} has joined: callers reach ${options.name}:${options.port} at ${inbound.ip}:${inbound.port}; ` +
        `the program listens on 127.0.0.1:${appPort}; admin http://${sidecar.ip}:${sidecar.adminPort}.`,
    );
    return await runBeside(agent, appPort, addresses, options);
  } finally {
    held.close();
    await agent.close();
  }
}

/** Callers are sent to the program from the moment that it listens until it has ended. */
async function runBeside(
  agent: Agent,
  appPort: number,
  { calls }: RunAddresses,
  options: RunOptions,
): Promise<ProgramEnd> {
  const over = new AbortController();
  void untilListening(appPort, options.clock, over.signal).then((listens) => {
    if (!listens) return;
    agent.reportHealth(true, "");
    options.log(`${workloadName(options)}.${options.namespace} listens; callers are sent to it.`);
  });
  try {
    return await runProgram(options.command, programEnvironment(appPort, calls));
  } finally {
    over.abort();
    agent.reportHealth(false, "the program has ended");
  }
}

interface Started {
  readonly agent: Agent;
  readonly addresses: RunAddresses;
}

async function startSidecar(
  options: RunOptions,
  appPort: number,
  instance: string,
  { plain, tls }: Awaited<ReturnType<PilotClient["xdsAddresses"]>>,
  calls: readonly ServiceCall[],
): Promise<Started> {
  const { namespace, serviceAccount, clock, log } = options;
  const certificate = await meshCertificate({
    ...{ pilot: options.pilot, stateFolder: stateFolder(process.env), clock, log },
    secure: tls === null ? null : `${tls.host}:${tls.port}`,
    workload: { namespace, serviceAccount, workload: workloadName(options) },
  });
  const discovery = tls === null ? plain : { ...tls, secure: true };
  const many = options.loopback === "many" || (options.loopback === "auto" && (await supportsManyAddresses()));
  // The program decides when both end.
  const end = () => process.kill(process.pid, "SIGTERM");
  const start = (addresses: RunAddresses) =>
    runAgent({
      identity: identity(options, addresses),
      addresses: { ...addresses.sidecar, discovery },
      certificate,
      environment: { ...process.env, ...offer(options, addresses, appPort, instance) },
      clock: options.clock,
      log: options.log,
      version: VERSION,
      onStop: end,
      onQuit: end,
    });
  if (!many) {
    const addresses = await singleAddresses(calls.filter((call) => isReachable(call, options)));
    return { addresses, agent: await start(addresses) };
  }
  for await (const addresses of manyAddresses(options.port, calls)) {
    try {
      return { addresses, agent: await start(addresses) };
    } catch (error) {
      // Somebody who starts at the same moment was faster; the next address is for us.
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
  }
  throw new CommandError("No address is free.");
}

/** With one address for all, only services that joined can be called. */
function isReachable({ joined, name }: ServiceCall, { calls, log }: RunOptions): boolean {
  if (joined) return true;
  const text = `${name} is defined by a file and cannot be called with --loopback single`;
  if (calls.length > 0) throw new CommandError(`${text}. Use --loopback many, or run it with this command too.`, 125);
  log(`${text}; it is left out.`);
  return false;
}

function workloadName({ name, version }: RunOptions): string {
  return `${name}-${version}`;
}

function identity(options: RunOptions, { inbound }: RunAddresses): WorkloadIdentity {
  return {
    type: "sidecar",
    name: workloadName(options),
    namespace: options.namespace,
    workload: workloadName(options),
    instanceIps: [inbound.ip],
    labels: { ...options.labels, app: options.name, version: options.version },
    annotations: options.appMetrics === null ? {} : { "prometheus.istio.io/scrape-targets": options.appMetrics },
    serviceAccount: options.serviceAccount,
    clusterId: "Kubernetes",
    meshId: "cluster.local",
    istioVersion: options.istioVersion,
    domain: "cluster.local",
    interceptionMode: "NONE",
    owner: null,
    locality: { region: "", zone: "", subZone: "" },
  };
}

/** What the control plane is to make of this workload, in the form in which node metadata comes from outside. */
function offer(
  options: RunOptions,
  { inbound, calls }: RunAddresses,
  appPort: number,
  instance: string,
): Record<string, string> {
  const join = {
    instance,
    service: options.name,
    servicePort: options.port,
    application: `127.0.0.1:${appPort}`,
    reportsHealth: true,
    owner: `pid ${process.pid} on ${hostname()}`,
    calls: calls.map(({ host, namespace, port, protocol, bind, bindPort }) => ({
      ...{ host, namespace, port, protocol, bind, bindPort },
    })),
  };
  return {
    ISTIO_META_POD_PORTS: JSON.stringify([{ name: options.protocol, containerPort: inbound.port, protocol: "TCP" }]),
    ...(options.telemetry === "none" ? { ISTIO_META_MIXERLESS_TELEMETRY: "none" } : {}),
    ISTIO_METAJSON_JOIN: JSON.stringify({ MIXERLESS_JOIN: join }),
  };
}

/** Resolves when the sidecar serves; rejects with the control plane's reason when it does not want it. */
async function untilJoined(pilot: PilotClient, instance: string, agent: Agent, { clock }: RunOptions): Promise<void> {
  for (;;) {
    if (agent.ready) return;
    const { refused } = await pilot.join(instance);
    if (refused !== null) throw new CommandError(`The control plane refuses this workload: ${refused}.`, 125);
    await Promise.race([agent.whenReady, new Promise<void>((wake) => clock.after(QUESTION_INTERVAL, wake))]);
  }
}
