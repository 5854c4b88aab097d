import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram } from "../peers.ts";

const PLUGINS = fileURLToPath(new URL("../../plugins", import.meta.url));

/** Modules by name, or why there are none. */
export type Built = ReadonlyMap<string, Uint8Array<ArrayBuffer>> | { readonly missing: string };

function run(folder: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string | null {
  const result = spawnSync(program, args, { cwd: folder, encoding: "utf8", env: { ...process.env, ...env } });
  return result.status === 0 ? null : `${program} ${args[0]}: ${(result.stderr || String(result.error)).slice(-2000)}`;
}

function read(file: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(file));
}

/** Debian's cargo and compiler: the ones that come with a library for wasm32-wasi. */
const DEBIAN_CARGO = "/usr/bin/cargo";
const DEBIAN_LIBRARY = "/usr/lib/rustlib/wasm32-wasi";

const FROM_VENDOR = [
  ...["--config", 'source.crates-io.replace-with="vendored-sources"'],
  ...["--config", 'source.vendored-sources.directory="vendor"'],
];

/** Every example of `plugins/rust`, against the published crate. */
export function buildRust(names: readonly string[]): Built {
  const folder = join(PLUGINS, "rust");
  if (!existsSync(DEBIAN_CARGO) || !existsSync(DEBIAN_LIBRARY) || findProgram("wasm-ld") === null) {
    return { missing: "no Debian cargo with libstd-rust-dev-wasm32 and lld" };
  }
  if (!existsSync(join(folder, "vendor"))) {
    // Whichever cargo reaches the registry fetches the sources; Debian's may be too old for that.
    const fault = run(folder, findProgram("cargo") ?? DEBIAN_CARGO, ["vendor"]);
    if (fault !== null) return { missing: fault };
    const lock = join(folder, "Cargo.lock");
    writeFileSync(lock, readFileSync(lock, "utf8").replace("version = 4", "version = 3"));
  }
  const args = ["build", "--offline", "--release", "--target", "wasm32-wasi", "--examples", ...FROM_VENDOR];
  const fault = run(folder, DEBIAN_CARGO, args, { PATH: "/usr/bin:/bin", RUSTC: "/usr/bin/rustc" });
  if (fault !== null) return { missing: fault };
  const built = join(folder, "target/wasm32-wasi/release/examples");
  return new Map(names.map((name) => [name, read(join(built, `${name}.wasm`))]));
}

/** The old AssemblyScript SDK with the compiler of its time. */
export function buildAssemblyScript(): Built {
  const folder = join(PLUGINS, "assemblyscript");
  const npm = findProgram("npm") ?? "npm";
  const installed = existsSync(join(folder, "node_modules"));
  const fault = installed ? null : run(folder, npm, ["ci", "--no-audit", "--no-fund"]);
  if (fault !== null) return { missing: fault };
  const args = ["assembly/index.ts", "-b", "add_header.wasm", "--use", "abort=abort_proc_exit", "-O3"];
  const compiled = run(folder, "node_modules/.bin/asc", args);
  if (compiled !== null) return { missing: compiled };
  return new Map([["add_header", read(join(folder, "add_header.wasm"))]]);
}

/** Go's own compiler, as a reactor. */
export function buildGo(): Built {
  const folder = join(PLUGINS, "go");
  const go = findProgram("go");
  if (go === null) return { missing: "no go" };
  const args = ["build", "-buildmode=c-shared", "-o", "go.wasm", "."];
  const fault = run(folder, go, args, { GOOS: "wasip1", GOARCH: "wasm" });
  return fault === null ? new Map([["go", read(join(folder, "go.wasm"))]]) : { missing: fault };
}
