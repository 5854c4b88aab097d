import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseExposition } from "@mixerless/metrics";
import { fetchPage } from "./fetch-page.ts";

export interface DemoWorkloadSummary {
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  readonly inbound: string;
  readonly app?: string;
  readonly admin: string;
  readonly prometheus: string;
  readonly merged: string;
  readonly dataPlane: string;
  /** Of an external one. */
  readonly bootstrap?: string;
  readonly pid: number;
  readonly appPid?: number;
}

export interface DemoSummary {
  readonly ingress: string;
  readonly pilot: string;
  readonly console?: string;
  readonly xds: string;
  readonly config: string;
  readonly prometheusConfig: string;
  readonly pilotPid: number;
  readonly workloads: readonly DemoWorkloadSummary[];
}

const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));

/** The demo as a user starts it, with `--json`. */
export class RunningDemo {
  readonly summary: DemoSummary;
  readonly #child: ChildProcess;
  readonly #stderr: string[];

  private constructor(child: ChildProcess, summary: DemoSummary, stderr: string[]) {
    this.#child = child;
    this.summary = summary;
    this.#stderr = stderr;
  }

  /** Without the page, which looks at every proxy all the time. */
  static start(...flags: string[]): Promise<RunningDemo> {
    return RunningDemo.startWith({}, "--no-console", ...flags);
  }

  static startWithConsole(...flags: string[]): Promise<RunningDemo> {
    return RunningDemo.startWith({}, ...flags);
  }

  /** `environment` is added to this process's own, and reaches every sidecar. */
  static async startWith(environment: Readonly<Record<string, string>>, ...flags: string[]): Promise<RunningDemo> {
    const child = spawn(process.execPath, [COMMAND, "demo", "--json", ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    const stderr: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (text: string) => stderr.push(text));
    for await (const line of createInterface({ input: child.stdout }))
      return new RunningDemo(child, JSON.parse(line) as DemoSummary, stderr);
    throw new Error(`The demo ended before it was ready:\n${stderr.join("")}`);
  }

  get stderr(): string {
    return this.#stderr.join("");
  }

  workload(name: string): DemoWorkloadSummary {
    const found = this.summary.workloads.find((entry) => entry.name === name);
    if (found === undefined) throw new Error(`no workload ${name}`);
    return found;
  }

  /** Series of a metric in all sidecars: labels as JSON → value. */
  async series(metric: string): Promise<Map<string, number>> {
    const totals = new Map<string, number>();
    for (const { name, prometheus } of this.summary.workloads) {
      const parsed = parseExposition((await fetchPage(prometheus)).body);
      if (!("samples" in parsed)) throw new Error(`${name} has series that do not parse: ${JSON.stringify(parsed)}`);
      for (const sample of parsed.samples)
        if (sample.name === metric) totals.set(JSON.stringify({ ...sample.labels }), sample.value);
    }
    return totals;
  }

  /** Puts a file into the watched folder, or takes the place of the one there. */
  async write(name: string, content: string): Promise<void> {
    await writeFile(join(this.summary.config, name), content);
  }

  /** Takes a file out of the watched folder. */
  async remove(name: string): Promise<void> {
    await rm(join(this.summary.config, name));
  }

  /** A page of the control plane. */
  async pilot(path: string): Promise<string> {
    return (await fetchPage(`${this.summary.pilot}${path}`)).body;
  }

  /** Resolves when a line on stderr holds `text` that was not there at the time of the call. */
  async says(text: string): Promise<void> {
    const from = this.stderr.length;
    while (!this.stderr.slice(from).includes(text)) await once(this.#child.stderr as NodeJS.ReadableStream, "data");
  }

  /** What grew while `action` ran, once nothing more moves. */
  async growth(metric: string, expected: number, action: () => Promise<void>): Promise<Map<string, number>> {
    const before = await this.series(metric);
    await action();
    for (;;) {
      const after = await this.series(metric);
      const grown = new Map(
        [...after]
          .map(([labels, value]): [string, number] => [labels, value - (before.get(labels) ?? 0)])
          .filter(([, by]) => by !== 0),
      );
      // The last hop reports when its stream ends, a moment after the client has its answer.
      if ([...grown.values()].reduce((sum, by) => sum + by, 0) >= expected) return grown;
    }
  }

  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    if (this.#child.exitCode === null) await once(this.#child, "exit");
    return this.#child.exitCode;
  }
}
