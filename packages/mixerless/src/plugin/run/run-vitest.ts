import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { PluginFolder } from "../plugin-folder.ts";

const PROGRAM = fileURLToPath(new URL("./vitest-process.js", import.meta.url));

export interface VitestRun {
  readonly folder: PluginFolder;
  /** URL of vitest's module for programs. */
  readonly vitest: string;
  /** The module that takes the place of the plugin's source; null: the source itself is tried. */
  readonly wasm: string | null;
  /** Wait for a debugger. */
  readonly inspect: boolean;
}

/** Runs a plugin's tests in a process of their own. Gives its exit code. */
export async function runVitest({ folder, vitest, wasm, inspect }: VitestRun): Promise<number> {
  const { root, entry } = folder;
  const task = JSON.stringify({ root, entry, vitest, wasm, inspect });
  const child = fork(PROGRAM, [task], { cwd: root, execArgv: [], stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}
