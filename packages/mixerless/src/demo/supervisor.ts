import { type ChildProcess, fork } from "node:child_process";
import type { Clock, Timer } from "@mixerless/clock";

/** A process of the demo, described well enough to start it again. */
export interface ProcessSpec {
  /** For people: `sidecar reviews-v1`. */
  readonly name: string;
  /** Module that is run. */
  readonly module: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Done before each start. */
  readonly prepare?: () => Promise<void>;
  /** Whether the process reports `{ ready: true }` by IPC; one that does not counts as ready when it runs. */
  readonly reports: boolean;
}

interface Managed {
  readonly spec: ProcessSpec;
  child: ChildProcess | null;
  restarts: number;
  ready: boolean;
  readonly whenReady: Promise<void>;
  becomeReady: () => void;
  timer: Timer | null;
}

/** Milliseconds that a stopping process has before it is killed. */
const STOP_TIME = 6000;
const FIRST_DELAY = 200;
const LONGEST_DELAY = 5000;
/** A process that ran this long did not fail at its start. */
const STABLE_TIME = 10_000;

/** Starts processes, starts those again that die, and ends all of them. */
export class Supervisor {
  readonly #clock: Clock;
  readonly #log: (message: string) => void;
  readonly #processes = new Map<string, Managed>();
  #stopping = false;

  constructor(clock: Clock, log: (message: string) => void) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Resolves when the process is ready for the first time. */
  start(spec: ProcessSpec): Promise<void> {
    let becomeReady = () => {};
    const whenReady = new Promise<void>((resolve) => {
      becomeReady = resolve;
    });
    const managed: Managed = { spec, child: null, restarts: 0, ready: false, whenReady, becomeReady, timer: null };
    this.#processes.set(spec.name, managed);
    this.#spawn(managed);
    return whenReady;
  }

  pid(name: string): number | undefined {
    return this.#processes.get(name)?.child?.pid;
  }

  /** Names of the processes that are not ready yet. */
  get waiting(): string[] {
    return [...this.#processes].filter(([, { ready }]) => !ready).map(([name]) => name);
  }

  /** Asks every process to end, kills what is left after a while, and resolves when none runs. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#processes.values()].map((managed) => this.#end(managed)));
  }

  #spawn(managed: Managed): void {
    const { prepare, name } = managed.spec;
    if (prepare === undefined) {
      this.#fork(managed);
      return;
    }
    prepare().then(
      () => {
        if (!this.#stopping) this.#fork(managed);
      },
      (error: Error) => this.#log(`${name} cannot be started: ${error.message}`),
    );
  }

  #fork(managed: Managed): void {
    const { spec } = managed;
    const started = this.#clock.monotonic();
    const child = fork(spec.module, [...spec.arguments], {
      env: { ...process.env, ...spec.environment },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    managed.child = child;
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => {
      for (const line of text.split("\n")) if (line.trim() !== "") this.#log(`${spec.name}: ${line}`);
    });
    child.on("message", (message) => {
      if (typeof message === "object" && message !== null && "ready" in message) this.#ready(managed);
    });
    if (!spec.reports) child.on("spawn", () => this.#ready(managed));
    child.on("exit", (code, signal) => this.#exited(managed, code, signal, started));
  }

  #ready(managed: Managed): void {
    if (managed.ready) this.#log(`${managed.spec.name} is back (pid ${managed.child?.pid}).`);
    managed.ready = true;
    managed.becomeReady();
  }

  #exited(managed: Managed, code: number | null, signal: NodeJS.Signals | null, started: number): void {
    managed.child = null;
    if (this.#stopping) return;
    if (this.#clock.monotonic() - started > STABLE_TIME) managed.restarts = 0;
    const delay = Math.min(FIRST_DELAY * 2 ** managed.restarts, LONGEST_DELAY);
    managed.restarts++;
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    this.#log(`${managed.spec.name} ${how}. Starting it again in ${delay} ms.`);
    managed.timer = this.#clock.after(delay, () => this.#spawn(managed));
  }

  #end(managed: Managed): Promise<void> {
    managed.timer?.cancel();
    const { child } = managed;
    if (child === null || child.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.after(STOP_TIME, () => child.kill("SIGKILL"));
      child.once("exit", () => {
        timer.cancel();
        resolve();
      });
      child.kill("SIGTERM");
    });
  }
}
