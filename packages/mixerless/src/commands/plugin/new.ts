import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { CommandError } from "../../mesh/command-error.ts";
import { sdkFolder } from "../../plugin/author-tools.ts";
import { scaffoldFiles } from "../../plugin/scaffold/files.ts";

interface NewFlags {
  readonly dir?: string;
  readonly install: boolean;
}

export function addPluginNew(plugin: Command): void {
  plugin
    .command("new")
    .description("make a folder with a plugin that works, its tests and their tools")
    .argument("<name>", "lower case, digits and dashes", pluginName)
    .option("--dir <folder>", "where (default: a folder of that name)")
    .option("--no-install", "do not run npm install in it")
    .addHelpText("after", "\nExamples:\n  mixerless plugin new hello\n  mixerless plugin new hello --dir plugins/hello")
    .action(async (name: string, { dir, install }: NewFlags) => {
      const folder = resolve(dir ?? name);
      await refuseFilled(folder);
      for (const [path, content] of scaffoldFiles({ name, sdk: sdkFolder() })) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), content);
      }
      if (install) await installTools(folder);
      const place = relative(process.cwd(), folder) || ".";
      const steps = [
        `cd ${place}`,
        ...(install ? [] : ["npm install"]),
        "mixerless plugin test",
        "mixerless plugin dev",
      ];
      process.stdout.write(`${name} is in ${place}. Next:\n${steps.map((step) => `  ${step}\n`).join("")}`);
    });
}

function pluginName(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,60}$/.test(text)) {
    throw new InvalidArgumentError("Give lower-case letters, digits and dashes, for example add-header.");
  }
  return text;
}

async function refuseFilled(folder: string): Promise<void> {
  const found = await readdir(folder).catch(() => []);
  if (found.length > 0) throw new CommandError(`${folder} is not empty. Give another name, or a folder with --dir.`, 2);
}

async function installTools(folder: string): Promise<void> {
  process.stdout.write("npm install …\n");
  const child = spawn("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  const failed = once(child, "error").then(([error]) => String(error));
  const [code] = (await Promise.race([once(child, "exit"), failed.then((text) => [text])])) as [number | string | null];
  if (code !== 0) {
    throw new CommandError(
      `npm install failed in ${folder} (${code}). The files are there; run it again when the registry can be reached.`,
    );
  }
}
