import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError } from "../mesh/command-error.ts";

/** Versions that a new plugin asks for: those that this program is tried with. */
export const TOOL_VERSIONS = { assemblyscript: "0.28.20", typescript: "6.0.3", vitest: "4.1.12" } as const;

export type ToolName = keyof typeof TOOL_VERSIONS;

const MODULES: Readonly<Record<ToolName, string>> = {
  assemblyscript: "dist/asc.js",
  typescript: "lib/typescript.js",
  vitest: "dist/node.js",
};

/**
 * The URL of a tool's module. The plugin's own comes first, then what lies beside this program: the tools are big and
 * only authors need them, so they are no dependencies of it.
 */
export function findTool(name: ToolName, folder: string): string {
  for (const from of [folder, import.meta.dirname]) {
    const found = packageFolder(name, from);
    if (found !== null) return pathToFileURL(join(found, MODULES[name])).href;
  }
  throw new CommandError(
    `The package ${name} is not installed in ${folder}. Run \`npm install\` there, or \`npm install --save-dev ${name}@${TOOL_VERSIONS[name]}\`.`,
    2,
  );
}

/** The folder of a package as a module in `from` finds it. Exports do not matter: a tool may hide its own files. */
function packageFolder(name: string, from: string): string | null {
  for (let at = from; ; at = dirname(at)) {
    const candidate = join(at, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (at === dirname(at)) return null;
  }
}

/** The folder of the SDK that belongs to this program. */
export function sdkFolder(): string {
  return dirname(realpathSync(createRequire(import.meta.url).resolve("@mixerless/sdk/package.json")));
}
