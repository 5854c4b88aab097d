import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { embedSourceMap, isFault, type LoadedModule, loadModule, resolveLimits } from "@mixerless/wasm";
import { sdkFolder } from "./author-tools.ts";
import { foreignImports } from "./check/host-calls.ts";
import type { Diagnostic } from "./compile/compile-protocol.ts";
import type { Compiler } from "./compile/compiler.ts";
import { ownSourceMap } from "./compile/own-source-map.ts";
import type { PluginFolder } from "./plugin-folder.ts";

/** A module that a proxy can run. */
export interface BuiltPlugin {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the whole module, for debuggers; the module has the part that speaks of the author's files inside. */
  readonly sourceMap: string;
  readonly module: LoadedModule;
}

/** Compiles a plugin and checks that every Proxy-Wasm host could load it. What is wrong is the answer. */
export async function buildPlugin(
  folder: PluginFolder,
  compiler: Compiler,
  quick: boolean,
): Promise<BuiltPlugin | readonly Diagnostic[]> {
  const { root, entry } = folder;
  const { wasm, sourceMap, diagnostics } = await compiler.compile({ root, entry, sdk: sdkFolder(), quick });
  if (wasm === null) return diagnostics;
  const own = ownSourceMap(wasm, sourceMap);
  const bytes = own === null ? wasm : embedSourceMap(wasm, own);
  const foreign = foreignImports(bytes);
  if (foreign.length > 0) return foreign.map((text) => inNoFile(`${entry}: ${text}`));
  const module = await loadModule(bytes, resolveLimits({}));
  return isFault(module) ? [inNoFile(`${entry}: ${module.message}`)] : { bytes, sourceMap, module };
}

function inNoFile(message: string): Diagnostic {
  return { file: "", line: 0, column: 0, message };
}

/** Writes the module and, beside it, the whole source map. */
export function writeModule(file: string, { bytes, sourceMap }: BuiltPlugin): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  writeFileSync(`${file}.map`, sourceMap);
}

/** `src/plugin.ts:12:5: message`, paths as seen from where the command was given. */
export function describeDiagnostic({ file, line, column, message }: Diagnostic, root: string): string {
  if (file === "") return message;
  const path = file.startsWith("~lib/") ? file : relative(process.cwd(), join(root, file));
  return line === 0 ? `${path}: ${message}` : `${path}:${line}:${column}: ${message}`;
}
