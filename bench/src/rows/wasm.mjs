import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../programs/wasm.mjs", import.meta.url));

/** A plugin with two callbacks, twelve host calls and four added headers: CPU that it adds to a stream. */
export async function wasm(bench) {
  const { requests, rounds } = bench.sizes;
  const printed = execFileSync(process.execPath, [PROGRAM, String(requests * 10), String(rounds)], {
    encoding: "utf8",
  });
  for (const [metric, value] of Object.entries(JSON.parse(printed))) bench.reportAbsolute("wasm", metric, value);
}
