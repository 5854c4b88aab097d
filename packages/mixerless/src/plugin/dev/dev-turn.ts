import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "@mixerless/clock";
import { CommandError } from "../../mesh/command-error.ts";
import type { PilotClient } from "../../mesh/pilot-client.ts";
import { type ProxyPlugin, pluginsNow } from "../../mesh/plugins.ts";
import { buildPlugin, describeDiagnostic } from "../build.ts";
import { checkSources } from "../check/check-sources.ts";
import type { Compiler } from "../compile/compiler.ts";
import type { PluginFolder } from "../plugin-folder.ts";
import type { DevPlace } from "./dev-place.ts";

/** Milliseconds between two looks at the proxies, and how long a module may take to arrive. */
const LOOK = 50;
const PATIENCE = 20_000;

export interface DevParts {
  readonly folder: PluginFolder;
  readonly compiler: Compiler;
  /** URL of TypeScript's module. */
  readonly typescript: string;
  readonly place: DevPlace;
  readonly pilot: PilotClient;
  readonly clock: Clock;
  /** A line for the author. */
  readonly say: (line: string) => void;
}

/** Builds what stands in the folder now, hands it to the mesh and says what became of it. Faults are told, not thrown. */
export async function takeTurn(parts: DevParts): Promise<void> {
  const { folder, compiler, place, clock, say } = parts;
  const began = clock.monotonic();
  const built = await buildPlugin(folder, compiler, true);
  if (!("bytes" in built)) {
    say(`Not built:\n${built.map((fault) => `  ${describeDiagnostic(fault, folder.root)}`).join("\n")}`);
    return;
  }
  const ready = clock.monotonic();
  try {
    place.publish(built);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    say(error.message);
    return;
  }
  const outcome = await untilTaken(parts, built.module.digest);
  const times = `built in ${seconds(ready - began)}, in the mesh ${seconds(clock.monotonic() - ready)} later`;
  say(`${folder.name} ${built.module.digest.slice(0, 12)}, ${built.bytes.length} bytes: ${times}. ${outcome}`);
  await sayDifferences(parts);
}

/** The module runs already; this is about the other form and about types. */
async function sayDifferences({ folder, typescript, say }: DevParts): Promise<void> {
  const faults = await checkSources(folder, typescript);
  if (faults.length === 0) return;
  say(
    `\`plugin build\` will refuse:\n${faults.map((fault) => `  ${describeDiagnostic(fault, folder.root)}`).join("\n")}`,
  );
}

/** Waits until every proxy that has the plugin runs the module or has refused it. */
async function untilTaken({ place, pilot, clock }: DevParts, digest: string): Promise<string> {
  const end = clock.monotonic() + PATIENCE;
  for (;;) {
    const all = await pluginsNow(pilot);
    const own = all.filter(({ name }) => name === place.plugin);
    const open = own.filter((plugin) => !isTaken(plugin, digest) && !isRefused(plugin));
    if (own.length > 0 && open.length === 0) return describe(own);
    if (clock.monotonic() > end) {
      return own.length === 0
        ? "No proxy has it yet: does a workload match? See `mixerless plugin status`."
        : "Not every proxy has it yet. See `mixerless plugin status`.";
    }
    await pause(LOOK);
  }
}

function isTaken({ digest, state }: ProxyPlugin, wanted: string): boolean {
  return digest === wanted && state !== "fetching" && state !== "compiling";
}

function isRefused({ state }: ProxyPlugin): boolean {
  return state === "refused";
}

function describe(plugins: readonly ProxyPlugin[]): string {
  const proxies = (state: boolean) => [
    ...new Set(plugins.filter((plugin) => isRefused(plugin) === state).map(({ proxy }) => proxy)),
  ];
  const refused = plugins.find(isRefused);
  const running = `Runs in ${proxies(false).join(", ")}.`;
  if (refused === undefined) return running;
  return `Refused by ${proxies(true).join(", ")}: ${refused.lastError?.message ?? "see plugin status"}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
