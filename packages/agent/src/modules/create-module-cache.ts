import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import { ModuleCache } from "./module-cache.ts";
import { readModuleSettings } from "./module-settings.ts";

export interface ModuleCacheParts {
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For what outlives the process; left out, modules go with it. */
  readonly folder?: string | undefined;
  readonly metrics: MetricStore;
}

/** The module cache of an agent, by its environment. */
export function createModuleCache({ clock, log, environment, folder, metrics }: ModuleCacheParts): ModuleCache {
  const settings = readModuleSettings(environment, log);
  const temporary = folder === undefined;
  // A name that nobody can have taken before.
  const place = temporary ? join(tmpdir(), `mixerless-wasm-${randomUUID()}`) : join(folder, "wasm-modules");
  return new ModuleCache({ clock, settings, folder: place, temporary, metrics, random: Math.random });
}
