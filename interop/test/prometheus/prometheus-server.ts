import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../peers.ts";

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

/** A series as it was scraped, with the times of the scrapes. */
export interface RawSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [number, number])[];
}

/** Debian's Prometheus with a configuration, on a port of its own. */
export class PrometheusServer {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #folder: string;

  private constructor(child: ChildProcess, url: string, folder: string) {
    this.#child = child;
    this.#url = url;
    this.#folder = folder;
  }

  static async start(program: string, config: string): Promise<PrometheusServer> {
    const address = `127.0.0.1:${await freePort()}`;
    const folder = await mkdtemp(join(tmpdir(), "mixerless-prometheus-"));
    const flags = [`--config.file=${config}`, `--storage.tsdb.path=${folder}`, `--web.listen-address=${address}`];
    const child = spawn(program, flags, { stdio: "ignore" });
    const server = new PrometheusServer(child, `http://${address}`, folder);
    await server.until("is ready", () =>
      fetch(`${server.#url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    return server;
  }

  /** Values at one moment, now if none is given. */
  async query(expression: string, time?: number): Promise<Sample[]> {
    const found = await this.#ask("query", {
      query: expression,
      ...(time === undefined ? {} : { time: String(time) }),
    });
    return found.map(({ metric, value }) => ({ metric, values: value === undefined ? [] : [Number(value[1])] }));
  }

  /** What a selector of a range finds at a moment: the points themselves, on which nothing was worked out. */
  async raw(selector: string, time: number): Promise<RawSeries[]> {
    const found = await this.#ask("query", { query: selector, time: String(time) });
    return found.map(({ metric, values }) => ({
      metric,
      points: (values ?? []).map(([at, text]) => [at, Number(text)] as const),
    }));
  }

  /** Values from one moment to another (seconds since 1970), every `step` seconds. */
  async range(expression: string, start: number, end: number, step: number): Promise<Sample[]> {
    const times = { start: String(start), end: String(end), step: String(step) };
    const found = await this.#ask("query_range", { query: expression, ...times });
    return found.map(({ metric, values }) => ({ metric, values: (values ?? []).map(([, text]) => Number(text)) }));
  }

  /** Tries until it holds; the message says for what it waited in vain. */
  async until(what: string, holds: () => Promise<boolean>, limit = 60_000): Promise<void> {
    const end = performance.now() + limit;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error(`Prometheus: waited ${limit / 1000} s until it ${what}`);
      await pause(200);
    }
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    if (this.#child.exitCode === null) await once(this.#child, "exit");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ask(path: string, parameters: Record<string, string>): Promise<Found[]> {
    const response = await fetch(`${this.#url}/api/v1/${path}`, {
      method: "POST",
      body: new URLSearchParams(parameters),
    });
    const answer = (await response.json()) as { status: string; error?: string; data: { result: Found[] } };
    if (answer.status !== "success") throw new Error(`${parameters.query}: ${answer.error}`);
    return answer.data.result;
  }
}

interface Found {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}
