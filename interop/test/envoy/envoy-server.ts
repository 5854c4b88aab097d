import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

/** A resource of Envoy's `/config_dump` that was refused. */
export interface Refused {
  readonly name: string;
  readonly reason: string;
}

/** A stock Envoy beside one workload. */
export class EnvoyServer {
  readonly #child: ChildProcess;
  readonly #admin: string;
  readonly #log: string[] = [];

  private constructor(child: ChildProcess, admin: string) {
    this.#child = child;
    this.#admin = admin;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#log.push(text));
  }

  /** Resolves when it is live: every first resource is there. */
  static async start(
    program: string,
    bootstrap: string,
    admin: string,
    more: readonly string[] = [],
  ): Promise<EnvoyServer> {
    const flags = ["-c", bootstrap, "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning", ...more];
    const child = spawn(program, flags, { stdio: ["ignore", "ignore", "pipe"] });
    const envoy = new EnvoyServer(child, admin);
    const end = performance.now() + 60_000;
    while (!(await envoy.#isLive())) {
      if (child.exitCode !== null || performance.now() > end)
        throw new Error(`Envoy does not become ready: ${envoy.#log.join("")}`);
      await pause(100);
    }
    return envoy;
  }

  get log(): string {
    return this.#log.join("");
  }

  /**
   * Warnings of refused or outdated configuration. `max_grpc_timeout` is outdated too, but what replaces it makes
   * Envoy ignore the route's timeout.
   */
  get complaints(): string[] {
    return this.log.split("\n").filter((line) => /rejected|deprecated/i.test(line) && !/max_grpc_timeout/.test(line));
  }

  /** Counters of refused updates that are not 0. */
  async rejectedUpdates(): Promise<Record<string, number>> {
    const rejected = await this.stats("update_rejected$");
    return Object.fromEntries(Object.entries(rejected).filter(([, count]) => count > 0));
  }

  async page(path: string): Promise<string> {
    return (await fetch(`${this.#admin}${path}`)).text();
  }

  /** Counters of its configuration: `<name>` → value. */
  async stats(filter: string): Promise<Record<string, number>> {
    const { stats } = JSON.parse(await this.page(`/stats?format=json&filter=${encodeURIComponent(filter)}`)) as {
      stats: { name?: string; value?: number }[];
    };
    return Object.fromEntries(stats.flatMap(({ name, value }) => (name === undefined ? [] : [[name, value ?? 0]])));
  }

  /** Everything in its configuration that carries an error. */
  async refused(): Promise<Refused[]> {
    const found: Refused[] = [];
    const visit = (value: unknown, name: string): void => {
      if (typeof value !== "object" || value === null) return;
      const { error_state: error, name: own } = value as { error_state?: { details?: string }; name?: string };
      const here = own ?? name;
      if (error !== undefined) found.push({ name: here, reason: error.details ?? "" });
      for (const inner of Object.values(value)) visit(inner, here);
    };
    visit(JSON.parse(await this.page("/config_dump?include_eds")), "");
    return found;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }

  async #isLive(): Promise<boolean> {
    try {
      return (await this.page("/ready")).trim() === "LIVE";
    } catch {
      return false;
    }
  }
}
