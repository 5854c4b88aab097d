// Compiles the extensions to Wasm modules, in a process of its own: loading the compiler adds globals and changes
// `Array.prototype.sort`.
//
//   node scripts/build-extensions.mjs                          all, into packages/extensions/dist/modules, if a source has changed
//   node scripts/build-extensions.mjs FOLDER NAME=ENTRY -O0    one module from any source, with options for the compiler
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import asc from "assemblyscript/asc";
import { commonSources, extensions, repository } from "./extension-sources.mjs";

const MODULES = join(repository, "packages/extensions/dist/modules");
const STAMP = join(MODULES, "sources.sha256");

const FIXED = [
  ...["--runtime", "incremental", "--exportStart", "_initialize", "--disableWarning", "210"],
  ...["--use", "abort=~lib/@mixerless/sdk/wasm/api/sdkAbort"],
];
// Names of functions in back traces are worth 3 KB.
const OPTIMIZED = ["-O3", "--debug"];

// What a Proxy-Wasm 0.2.1 host offers and the sdk calls. Anything else would not link in Envoy, and asc does not say so.
const HOST_CALLS = readFileSync(join(repository, "packages/sdk/wasm/env.ts"), "utf8").match(/proxy_\w+/g);

async function compile({ name, entry }, folder, options) {
  mkdirSync(folder, { recursive: true });
  const source = join(folder, `${name}.ts`);
  const file = join(folder, `${name}.wasm`);
  writeFileSync(source, entrySource(join(repository, entry), folder));
  // Names of files are part of the module; relative ones are the same everywhere.
  const paths = [source, "-o", file].map((path) => (path === "-o" ? path : relative(repository, path)));
  const { error, stderr, stdout } = await asc.main([...paths, "--baseDir", repository, ...FIXED, ...options]);
  const said = `${stdout}${stderr}`.trim();
  if (error !== null || said.length > 0) throw new Error(`${entry}: asc says\n${said || error.message}`);
  checkImports(entry, file);
  rmSync(source);
  return file;
}

function entrySource(entry, folder) {
  const source = relative(folder, entry).replace(/\.ts$/, "").replaceAll("\\", "/");
  return [
    'import { registerRoot } from "@mixerless/sdk";',
    `import { createRoot } from "${source}";`,
    "registerRoot(createRoot);",
    'export * from "@mixerless/sdk/exports";',
    "",
  ].join("\n");
}

function checkImports(entry, file) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(file)));
  const foreign = imports.filter((i) => i.module !== "env" || i.kind !== "function" || !HOST_CALLS.includes(i.name));
  if (foreign.length === 0) return;
  const names = foreign.map((i) => `${i.module}.${i.name}`).join(", ");
  rmSync(file);
  throw new Error(`${entry}: the module imports ${names}, which no Proxy-Wasm host has`);
}

/** Of everything that the modules are made of. */
function stampOfSources() {
  const hash = createHash("sha256").update(asc.version);
  const build = ["scripts/build-extensions.mjs", "scripts/extension-sources.mjs"];
  for (const file of [...commonSources(), ...build].sort()) {
    hash.update(`\0${file}\0`).update(readFileSync(join(repository, file)));
  }
  return hash.digest("hex");
}

async function buildAll() {
  const stamp = stampOfSources();
  const files = extensions.map(({ name }) => join(MODULES, `${name}.wasm`));
  if (files.every(existsSync) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === stamp) return;
  rmSync(STAMP, { force: true });
  for (const extension of extensions) {
    const file = await compile(extension, MODULES, OPTIMIZED);
    console.log(`${relative(repository, file)}: ${statSync(file).size} bytes`);
  }
  writeFileSync(STAMP, stamp);
}

const [folder, named, ...options] = process.argv.slice(2);
try {
  if (folder === undefined) await buildAll();
  else {
    const [name, entry] = named.split("=");
    await compile({ name, entry }, resolve(folder), options.length > 0 ? options : OPTIMIZED);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
