import { type Context, createContext, Script } from "node:vm";

/**
 * Runs code that may never end, for so many milliseconds. It costs about 50 µs, so it is for start and configure;
 * callbacks are held by their fuel.
 */
export class TimedRun {
  readonly #sandbox: { job: () => void } = { job: () => {} };
  readonly #context: Context = createContext(this.#sandbox);
  readonly #script = new Script("job()");

  /** Throws what `job` throws; an error with code ERR_SCRIPT_EXECUTION_TIMEOUT where it took too long. */
  run(timeout: number, job: () => void): void {
    this.#sandbox.job = job;
    this.#script.runInContext(this.#context, { timeout });
  }
}

export function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
}
