import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

import { fileURLToPath } from "node:url";
import type { SidecarAddresses } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import { parseExposition } from "@mixerless/metrics";
import { createXdsServer, type MapSource, type XdsServer } from "@mixerless/xds";

import { fetchPage } from "./fetch-page.ts";
import { IDENTITY, sidecarAddresses } from "./small-mesh.ts";

const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));

/** A sidecar in a process of its own, with a control plane that says what a test wants. */
export class ControlledSidecar {
  readonly name: string;
  readonly source: MapSource;
  readonly addresses: SidecarAddresses;
  readonly #server: XdsServer;
  readonly #child: ChildProcess;

  private constructor(
    name: string,
    source: MapSource,
    server: XdsServer,
    addresses: SidecarAddresses,
    child: ChildProcess,
  ) {
    this.name = name;
    this.source = source;
    this.addresses = addresses;
    this.#server = server;
    this.#child = child;
  }

  /** Resolves when it serves with what `source` holds. */
  static async start(name: string, source: MapSource, environment: Record<string, string> = {}) {
    const server = createXdsServer({ source, clock: new SystemClock(), address: "127.0.0.1:0" });
    const address = await server.start();
    const addresses = await sidecarAddresses(Number(address.slice(address.lastIndexOf(":") + 1)));
    const identity = { ...IDENTITY, name, workload: name, serviceAccount: name };
    const child = fork(COMMAND, ["sidecar"], {
      env: { ...process.env, ...environment, MIXERLESS_SIDECAR: JSON.stringify({ identity, addresses }) },
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const said: string[] = [];
    child.stderr?.setEncoding("utf8").on("data", (text: string) => said.push(text));
    const ended = once(child, "exit").then(() => Promise.reject(new Error(`${name} ended:\n${said.join("")}`)));
    await Promise.race([once(child, "message"), ended]);
    ended.catch(() => {});
    return new ControlledSidecar(name, source, server, addresses, child);
  }

  push(): void {
    this.#server.push(this.source.takeChanges());
  }

  /** Types of which the last update was refused, with the reason. */
  get refusals(): string[] {
    const watches = this.#server.connections()[0]?.status().watches ?? [];
    return watches.flatMap(({ typeUrl, nacked }) => (nacked === null ? [] : [`${typeUrl}: ${nacked.message}`]));
  }

  /** Names of the listeners that accept. */
  async listeners(): Promise<string[]> {
    const { ip, adminPort } = this.addresses;
    const { body } = await fetchPage(`http://${ip}:${adminPort}/listeners?format=json`);
    const { listener_statuses } = JSON.parse(body) as { listener_statuses: { name: string; status: string }[] };
    return listener_statuses.filter(({ status }) => status === "active").map(({ name }) => name);
  }

  /** Requests that it counted, by `reporter code flags`. */
  async requests(): Promise<Record<string, number>> {
    const { ip, adminPort } = this.addresses;
    const parsed = parseExposition((await fetchPage(`http://${ip}:${adminPort}/stats/prometheus`)).body);
    if (!("samples" in parsed)) throw new Error(`${this.name} has series that do not parse`);
    const sums: Record<string, number> = {};
    for (const { name, labels, value } of parsed.samples) {
      if (name !== "istio_requests_total") continue;
      const all = { ...labels } as Record<string, string>;
      const key = `${all.reporter} ${all.response_code} ${all.response_flags}`;
      sums[key] = (sums[key] ?? 0) + value;
    }
    return sums;
  }

  /** Number of label sets of the requests' series. */
  async labelSets(): Promise<number> {
    const { ip, adminPort } = this.addresses;
    const { body } = await fetchPage(`http://${ip}:${adminPort}/stats/prometheus`);
    return body.split("\n").filter((line) => line.startsWith("istio_requests_total{")).length;
  }

  /** Resident memory in MiB, as the system sees it. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async ended(): Promise<number | string | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  async close(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.ended();
    await this.#server.close(10);
  }
}
