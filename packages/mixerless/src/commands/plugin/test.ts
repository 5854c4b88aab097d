import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { CommandError } from "../../mesh/command-error.ts";
import { findTool } from "../../plugin/author-tools.ts";
import { buildPlugin, describeDiagnostic, writeModule } from "../../plugin/build.ts";
import { Compiler } from "../../plugin/compile/compiler.ts";
import { findPluginFolder, type PluginFolder } from "../../plugin/plugin-folder.ts";
import { runVitest } from "../../plugin/run/run-vitest.ts";

interface TestFlags {
  readonly form: "native" | "wasm" | "both";
  readonly inspect?: boolean;
}

export function addPluginTest(plugin: Command): void {
  plugin
    .command("test")
    .description("run a plugin's tests by vitest, on its form in process and on its Wasm module")
    .argument("[folder]", "the plugin's folder", ".")
    .addOption(new Option("--form <form>", "which form is tried").choices(["native", "wasm", "both"]).default("both"))
    .option("--inspect", "wait for a debugger before the tests begin; breakpoints in the plugin's .ts files hold")
    .addHelpText("after", "\nExamples:\n  mixerless plugin test\n  mixerless plugin test --form native --inspect")
    .action(async (target: string, flags: TestFlags) => {
      const folder = findPluginFolder(target);
      const vitest = findTool("vitest", folder.root);
      const inspect = flags.inspect === true;
      let failed = false;
      if (flags.form !== "wasm") {
        process.stdout.write("In process:\n");
        failed = (await runVitest({ folder, vitest, wasm: null, inspect })) !== 0;
      }
      if (flags.form !== "native") {
        process.stdout.write("As a Wasm module:\n");
        failed = (await tryModule(folder, vitest, inspect)) !== 0 || failed;
      }
      if (failed) throw new CommandError("Tests have failed.");
    });
}

async function tryModule(folder: PluginFolder, vitest: string, inspect: boolean): Promise<number> {
  const compiler = new Compiler(findTool("assemblyscript", folder.root));
  const place = await mkdtemp(join(tmpdir(), "mixerless-plugin-"));
  try {
    const built = await buildPlugin(folder, compiler, true);
    if (!("bytes" in built)) {
      const lines = built.map((fault) => describeDiagnostic(fault, folder.root));
      throw new CommandError(`The plugin can't be built:\n${lines.join("\n")}`);
    }
    const wasm = join(place, "plugin.wasm");
    writeModule(wasm, built);
    return await runVitest({ folder, vitest, wasm, inspect });
  } finally {
    compiler.close();
    await rm(place, { recursive: true, force: true });
  }
}
