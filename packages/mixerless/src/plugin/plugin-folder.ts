import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { CommandError } from "../mesh/command-error.ts";

/** A plugin's sources as its author has them. */
export interface PluginFolder {
  readonly root: string;
  /** From its package.json, without a scope; else the folder's. */
  readonly name: string;
  /** The file that exports `createRoot`, relative to the root, with forward slashes. */
  readonly entry: string;
}

const DEFAULT_ENTRY = "src/plugin.ts";

/** The plugin of `target`, a file or a folder with {@link DEFAULT_ENTRY}. Its root is the nearest folder with a package.json. */
export function findPluginFolder(target: string): PluginFolder {
  const path = resolve(target);
  const file = /\.ts$/.test(path) ? path : join(path, DEFAULT_ENTRY);
  if (!existsSync(file)) {
    throw new CommandError(
      `There is no file ${file}. Give the file that exports createRoot, or a plugin's folder; ` +
        "`mixerless plugin new NAME` makes one.",
      2,
    );
  }
  const root = nearestPackage(dirname(file)) ?? dirname(file);
  return { root, name: nameOf(root, file), entry: relative(root, file).replaceAll("\\", "/") };
}

function nearestPackage(from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) return null;
  }
}

/** Of a file that does not bear the usual name, that name: a folder may hold several plugins. */
function nameOf(root: string, file: string): string {
  const own = basename(file, ".ts");
  return own === "plugin" ? (packageName(root) ?? basename(root)) : own;
}

function packageName(root: string): string | null {
  try {
    const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name?: unknown };
    return typeof name === "string" && name.length > 0 ? name.replace(/^@[^/]*\//, "") : null;
  } catch {
    return null;
  }
}
