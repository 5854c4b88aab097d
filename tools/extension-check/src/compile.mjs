import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { here, repository } from "./extensions.mjs";

const OUT = join(here, "dist");

/** Compiles one extension to Wasm. Gives the file, or throws with what the compiler said. */
export function compile({ name, entry }, options = []) {
  const build = join(repository, "scripts/build-extensions.mjs");
  const run = spawnSync(process.execPath, [build, OUT, `${name}=${entry}`, ...options], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr.trim());
  return join(OUT, `${name}.wasm`);
}
