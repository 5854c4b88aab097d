import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../programs/rbac.mjs", import.meta.url));

/** Who may call whom, decided by a thousand policies that name ten thousand callers. */
export function rbac(bench) {
  const { requests, rounds } = bench.sizes;
  const printed = execFileSync(process.execPath, [PROGRAM, String(requests * 10), String(rounds)], {
    encoding: "utf8",
  });
  for (const [metric, value] of Object.entries(JSON.parse(printed))) bench.reportAbsolute("rbac", metric, value);
}
