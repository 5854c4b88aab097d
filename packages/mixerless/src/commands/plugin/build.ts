import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import type { Command } from "commander";
import { CommandError } from "../../mesh/command-error.ts";
import { findTool } from "../../plugin/author-tools.ts";
import { buildPlugin, describeDiagnostic, writeModule } from "../../plugin/build.ts";
import { checkSources } from "../../plugin/check/check-sources.ts";
import { Compiler } from "../../plugin/compile/compiler.ts";
import { findPluginFolder } from "../../plugin/plugin-folder.ts";

export function addPluginBuild(plugin: Command): void {
  plugin
    .command("build")
    .description("compile a plugin to a Wasm module for this proxy, for Envoy and for other Proxy-Wasm hosts")
    .argument("[file]", "the file that exports createRoot, or a plugin's folder", ".")
    .option("-o, --out <file>", "the module (default: build/NAME.wasm in the plugin's folder)")
    .addHelpText("after", "\nExamples:\n  mixerless plugin build\n  mixerless plugin build ./hello -o /tmp/hello.wasm")
    .action(async (target: string, flags: { out?: string }) => {
      const folder = findPluginFolder(target);
      const { root, name } = folder;
      const faults = await checkSources(folder, findTool("typescript", root));
      if (faults.length > 0) throw refused(faults.map((fault) => describeDiagnostic(fault, root)));
      const compiler = new Compiler(findTool("assemblyscript", root));
      try {
        const built = await buildPlugin(folder, compiler, false);
        if (!("bytes" in built)) throw refused(built.map((fault) => describeDiagnostic(fault, root)));
        const file = flags.out ?? join(root, "build", `${name}.wasm`);
        writeModule(file, built);
        const { module, bytes } = built;
        const packed = gzipSync(bytes).length;
        process.stdout.write(
          `${relative(process.cwd(), file)}  ${bytes.length} bytes (${packed} gzipped), ABI ${module.abi}, ` +
            `${module.imports.length} host calls\nsha256 ${module.digest}\n`,
        );
      } finally {
        compiler.close();
      }
    });
}

function refused(lines: readonly string[]): CommandError {
  return new CommandError(`The plugin can't be built:\n${lines.join("\n")}`);
}
