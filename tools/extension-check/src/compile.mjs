import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { here, repository } from "./extensions.mjs";

const OUT = join(here, "dist");

// What a Proxy-Wasm 0.2.1 host offers and the sdk calls. Anything else would not link in Envoy, and asc does not say so.
const HOST_CALLS = readFileSync(join(repository, "packages/sdk/wasm/env.ts"), "utf8").match(/proxy_\w+/g);

/**
 * Compiles one extension to Wasm in a process of its own: loading the compiler changes `Array.prototype.sort` and adds
 * globals. Gives the file, or throws with what the compiler said.
 */
export function compile(extension, options = ["-O3", "--debug"]) {
  mkdirSync(OUT, { recursive: true });
  const entry = join(OUT, `${extension.name}.ts`);
  const file = join(OUT, `${extension.name}.wasm`);
  writeFileSync(entry, entrySource(extension));
  const asc = join(here, "node_modules/assemblyscript/bin/asc.js");
  const fixed = ["--runtime", "incremental", "--exportStart", "_initialize", "--disableWarning", "210"];
  const abort = ["--use", "abort=~lib/@mixerless/sdk/wasm/api/sdkAbort"];
  const run = spawnSync(process.execPath, [asc, entry, "-o", file, ...fixed, ...abort, ...options], {
    encoding: "utf8",
  });
  const said = `${run.stdout}${run.stderr}`.trim();
  if (run.status !== 0 || said.length > 0) throw new Error(`${extension.entry}: asc says\n${said}`);
  checkImports(extension, file);
  return file;
}

function entrySource(extension) {
  const source = relative(OUT, join(repository, extension.entry)).replace(/\.ts$/, "");
  return [
    'import { registerRoot } from "@mixerless/sdk";',
    `import { createRoot } from "${source}";`,
    "registerRoot(createRoot);",
    'export * from "@mixerless/sdk/exports";',
    "",
  ].join("\n");
}

function checkImports(extension, file) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(file)));
  const foreign = imports.filter((i) => i.module !== "env" || i.kind !== "function" || !HOST_CALLS.includes(i.name));
  if (foreign.length === 0) return;
  const names = foreign.map((i) => `${i.module}.${i.name}`).join(", ");
  throw new Error(`${extension.entry}: the module imports ${names}, which no Proxy-Wasm host has`);
}
