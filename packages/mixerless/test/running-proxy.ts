import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));
const SAMPLES = join(import.meta.dirname, "..", "..", "..", "samples", "bootstraps");

/** What a finished command said. */
interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `mixerless proxy` with these arguments until it ends. */
export async function runProxyCommand(...args: string[]): Promise<Finished> {
  const child = spawn(process.execPath, [COMMAND, "proxy", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, ...output };
}

/** `mixerless proxy` at work. Its ports are those that the system gave it. */
export class RunningProxy {
  readonly #child: ChildProcess;
  readonly #directory: string;
  #stdout = "";
  #stderr = "";
  #changed: () => void = () => {};

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.#directory = directory;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#changed();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#changed();
    });
    child.once("close", () => this.#changed());
  }

  /** Starts a sample; its ports 10000 and 9901 become free ones, 8081 to 8083 the given ones. */
  static async start(
    sample: string,
    origins: readonly number[],
    edit = (text: string) => text,
    flags: readonly string[] = [],
  ): Promise<RunningProxy> {
    return RunningProxy.run(edit(withPorts(readFileSync(join(SAMPLES, sample), "utf8"), origins)), sample, flags);
  }

  /** Starts a bootstrap of this text. */
  static async run(text: string, name: string, flags: readonly string[] = []): Promise<RunningProxy> {
    const directory = mkdtempSync(join(tmpdir(), "mixerless-proxy-"));
    const file = join(directory, name);
    writeFileSync(file, text);
    const child = spawn(process.execPath, [COMMAND, "proxy", "-c", file, ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const running = new RunningProxy(child, directory);
    await running.saying(/^Ready\.$/m);
    return running;
  }

  get address(): string {
    return this.#find(/^Listener \S+ accepts at (\S+)\.$/m);
  }

  get admin(): string {
    return this.#find(/^Admin answers at (\S+)\.$/m);
  }

  /** Finished lines of its standard output, once there are that many. */
  async lines(count: number): Promise<string[]> {
    await this.#until(() => this.#stdout.split("\n").length > count);
    return this.#stdout.split("\n").slice(0, -1);
  }

  async saying(pattern: RegExp): Promise<void> {
    await this.#until(() => pattern.test(this.#stderr));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Its exit code, once it has ended by itself. */
  async ended(): Promise<number | null> {
    if (!this.#hasEnded) await once(this.#child, "close");
    return this.#child.exitCode;
  }

  /** Asks it to stop and waits until it has. */
  async stop(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGTERM");
    await this.ended();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #find(pattern: RegExp): string {
    const found = pattern.exec(this.#stderr)?.[1];
    if (found === undefined) throw new Error(`It has not said ${pattern}:\n${this.#stderr}`);
    return found;
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.#hasEnded) throw new Error(`It ended with ${this.#child.exitCode}:\n${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

/** A sample's text with free ports for what listens and these ports for what is called. */
function withPorts(text: string, origins: readonly number[]): string {
  const port = (from: number, to: number) => (all: string) =>
    all.replace(new RegExp(`(port_?[vV]alue"?: *)${from}\\b`, "g"), `$1${to}`);
  const changes = [port(10000, 0), port(9901, 0), ...origins.map((origin, i) => port(8081 + i, origin))];
  return changes.reduce((all, change) => change(all), text);
}

/** An HTTP server that says its name and what it was asked; `status` gives the status for a path. */
export async function startOrigin(
  name: string,
  status: (path: string) => number = () => 200,
): Promise<{ port: number; close(): void }> {
  const server = createServer((request, response) => {
    response.statusCode = status(request.url ?? "");
    response.end(`${name} ${request.method} ${request.url}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
