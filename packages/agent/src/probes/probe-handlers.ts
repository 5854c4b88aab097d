import type { AdminHandler } from "@mixerless/admin-server";
import type { Clock } from "@mixerless/clock";
import { type AppProbe, runAppProbe } from "./app-probes.ts";

/** A path of the status port for each probe of the application, which listens on `host`. */
export function probeHandlers(probes: readonly AppProbe[], host: string, clock: Clock): AdminHandler[] {
  return probes.map((probe) => ({
    path: probe.path,
    help: "whether the application says that it is well",
    mutates: false,
    handle: async () => ({ status: await runAppProbe(probe, host, clock), body: "" }),
  }));
}
