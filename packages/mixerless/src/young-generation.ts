import { setFlagsFromString } from "node:v8";

/** The commands whose process forwards requests. */
const DATA_PLANES: ReadonlySet<string | undefined> = new Set(["agent", "proxy", "run", "sidecar", "worker"]);

/** Whether the process of a command forwards requests. */
export function forwardsRequests(command: string | undefined): boolean {
  return DATA_PLANES.has(command);
}

/**
 * Keeps V8's young generation at the megabyte that it begins with, where requests are forwarded. What a request
 * needs dies with it: a nursery that fits into the CPU's cache costs no more to collect and is faster to fill.
 * Left alone it grows to 16 MB, which a sidecar pays beside every workload. Call before anything is imported.
 *
 * The flag is read whenever the nursery could grow, so it works in a running process; a V8 that doesn't know
 * it says so on standard error and goes on.
 */
export function keepYoungGenerationSmall(command: string | undefined): void {
  if (forwardsRequests(command)) setFlagsFromString("--semi-space-growth-factor=1");
}
