import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CommandError } from "../../mesh/command-error.ts";

const PROGRAM = fileURLToPath(new URL("../../../bin/mixerless.js", import.meta.url));

/** Characters of the parts' words that are kept. */
const KEPT = 4000;

/** What the demo says of itself when it is ready. */
interface DemoSummary {
  readonly ingress: string;
  readonly pilot: string;
  readonly config: string;
}

/** A demo that runs as long as a plugin is worked on. */
export class DemoProcess {
  readonly summary: DemoSummary;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, summary: DemoSummary) {
    this.#child = child;
    this.summary = summary;
  }

  /** Resolves when everything in it is ready. */
  static async start(flags: readonly string[]): Promise<DemoProcess> {
    const child = spawn(process.execPath, [PROGRAM, "demo", "--json", ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    // What its parts say is of interest only where it does not come up.
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-KEPT);
    });
    for await (const line of createInterface({ input: child.stdout })) {
      return new DemoProcess(child, JSON.parse(line) as DemoSummary);
    }
    throw new CommandError(`The demo ended before it was ready. What it said last:\n${said}`);
  }

  /** Resolves when it has ended, by whatever cause. */
  async ended(): Promise<void> {
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.ended();
  }
}
