import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { SystemClock } from "@mixerless/clock";
import type { Command } from "commander";
import { CommandError } from "../../mesh/command-error.ts";
import { findPilot } from "../../mesh/find-pilot.ts";
import { PilotClient } from "../../mesh/pilot-client.ts";
import { PluginLogReader } from "../../mesh/plugin-logs.ts";
import { connectedProxies } from "../../mesh/proxies.ts";
import { findTool } from "../../plugin/author-tools.ts";
import { Compiler } from "../../plugin/compile/compiler.ts";
import { DemoProcess } from "../../plugin/dev/demo-process.ts";
import { DevPlace } from "../../plugin/dev/dev-place.ts";
import { type DevParts, takeTurn } from "../../plugin/dev/dev-turn.ts";
import { FolderWatch } from "../../plugin/dev/watch-folder.ts";
import { findPluginFolder } from "../../plugin/plugin-folder.ts";
import { renderLine } from "../../view/plugin-line.ts";

interface DevFlags {
  readonly into?: string;
  readonly app: string;
  readonly pilot?: string;
  readonly traffic: boolean;
}

/** Milliseconds between two looks at the plugin's log. */
const LOGS = 1000;

export function addPluginDev(plugin: Command): void {
  plugin
    .command("dev")
    .description("run a plugin in the demo and swap in what is saved, while requests go on")
    .argument("[folder]", "the plugin's folder, or its file", ".")
    .option("--app <label>", "workloads with this `app` label get it; all: every one", "productpage")
    .option("--into <folder>", "watched configuration of a mesh that runs already (default: start a demo)")
    .option("--pilot <url>", "control plane of that mesh (default: the one that runs here)")
    .option("--traffic", "let the demo send requests", false)
    .addHelpText(
      "after",
      `
plugin-config.json in the plugin's folder, if there is one, is its configuration; a change of it is taken as well.

Examples:
  mixerless plugin dev
  mixerless plugin dev ./hello --app reviews --traffic
  mixerless plugin dev --into /tmp/mixerless-demo-x/config`,
    )
    .action(async (target: string, flags: DevFlags) => {
      const folder = findPluginFolder(target);
      const compilerUrl = findTool("assemblyscript", folder.root);
      const typescript = findTool("typescript", folder.root);
      const say = (line: string) => process.stdout.write(`${line}\n`);
      const clock = new SystemClock();
      const demo = flags.into === undefined ? await startDemo(flags, say) : null;
      const compiler = new Compiler(compilerUrl);
      const app = flags.app === "all" ? null : flags.app;
      const place = new DevPlace(folder, resolve(flags.into ?? demo?.summary.config ?? "."), app);
      try {
        const pilot = new PilotClient(demo?.summary.pilot ?? (await findPilot(flags.pilot, process.env)));
        await work({ folder, compiler, typescript, place, pilot, clock, say }, demo);
      } finally {
        place.remove();
        compiler.close();
        await demo?.stop();
      }
      process.exit(0);
    });
}

async function startDemo(flags: DevFlags, say: (line: string) => void): Promise<DemoProcess> {
  say("Starting the demo …");
  const demo = await DemoProcess.start(flags.traffic ? [] : ["--no-traffic"]);
  say(`Bookinfo        ${demo.summary.ingress}/productpage`);
  say(`Configuration   ${demo.summary.config} (watched)`);
  return demo;
}

/** Turn after turn, until the author stops it or the demo ends. */
async function work(parts: DevParts, demo: DemoProcess | null): Promise<void> {
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  void demo?.ended().then(stop);
  let due = true;
  const watch = new FolderWatch(parts.folder, parts.clock, () => {
    due = true;
  });
  const logs = followLogs(parts, stopped.signal);
  try {
    while (!stopped.signal.aborted) {
      if (due) {
        due = false;
        await takeTurn(parts);
        parts.say(`Waiting for changes of ${parts.folder.entry} …`);
      }
      await pause(50, undefined, { signal: stopped.signal }).catch(() => {});
    }
  } finally {
    watch.close();
    await logs;
  }
}

/** What the plugin logs, and where it traps, as it happens. */
async function followLogs({ pilot, place, say }: DevParts, signal: AbortSignal): Promise<void> {
  let reader: PluginLogReader | null = null;
  while (!signal.aborted) {
    await pause(LOGS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      reader ??= new PluginLogReader(place.plugin, await connectedProxies(pilot, undefined));
      const { lines } = await reader.next();
      if (lines.length > 0) say(lines.map(renderLine).join("").trimEnd());
    } catch (error) {
      // No proxy has the plugin yet, or the mesh is about to end.
      if (!(error instanceof CommandError)) throw error;
    }
  }
}
