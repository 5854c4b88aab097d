import { clusterWorkers, type WorkerSettings } from "@mixerless/proxy";
import { InvalidArgumentError } from "commander";

/** What --concurrency says in the help. */
export const CONCURRENCY_HELP = "processes that carry the traffic; 1: this one, more: so many workers under it";

const MOST = 64;

/** Number of processes. */
export function concurrency(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MOST)
    throw new InvalidArgumentError(`Give a number of processes, 1 to ${MOST}; more than there are CPUs gain nothing.`);
  return value;
}

/** The workers of a process that was started with this --concurrency; undefined if it carries the traffic itself. */
export function workersOf(count: number): WorkerSettings | undefined {
  const [, program = ""] = process.argv;
  return count === 1 ? undefined : { count, startWorker: clusterWorkers(program, ["worker"]) };
}
