import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench, freePorts } from "./bench.mjs";
import { startBackend } from "./peers/backend.mjs";
import { stopAll } from "./process.mjs";
import { jsonReporter, tableReporter } from "./reporters.mjs";
import { flood } from "./rows/flood.mjs";
import { bare, exchange, telemetry, telemetryLog } from "./rows/http.mjs";
import { latency } from "./rows/latency.mjs";
import { memory } from "./rows/memory.mjs";
import { push } from "./rows/push.mjs";
import { rbac } from "./rows/rbac.mjs";
import { scrape } from "./rows/scrape.mjs";
import { mtlsBothHops, tlsHandshake, tlsKeepalive } from "./rows/tls.mjs";
import { wasm } from "./rows/wasm.mjs";
import { workers } from "./rows/workers.mjs";

const ROWS = {
  "http1-bare": bare,
  "http1-telemetry-log": telemetryLog,
  telemetry,
  exchange,
  memory,
  flood,
  scrape,
  push,
  latency,
  wasm,
  rbac,
  workers,
  "tls-keepalive": tlsKeepalive,
  "tls-handshake": tlsHandshake,
  "mtls-both-hops": mtlsBothHops,
};

const FULL = { rounds: 9, requests: 15_000, warmup: 30_000, latencyRequests: 8000, flood: 200_000 };
const QUICK = { rounds: 5, requests: 8000, warmup: 20_000, latencyRequests: 4000, flood: 200_000 };
const PORTS = 80;

const USAGE = `usage: npm run bench -- [--quick] [--json] [--row NAME]...

Measures what a request, a series and a connection cost, beside other proxies in the same minutes.
  --quick     fewer and shorter rounds; below 5 minutes
  --json      one JSON object a line instead of the table
  --row NAME  only this row; may be given again. One of:
              ${Object.keys(ROWS).join(", ")}
Everything stays on the loopback interface. npm run interop:setup installs the other proxies.
`;

function options() {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      row: { type: "string", multiple: true, default: Object.keys(ROWS) },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = values.row.filter((row) => !Object.hasOwn(ROWS, row));
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(", ")}`);
  return values;
}

async function run({ quick, json, row }) {
  const directory = mkdtempSync(join(tmpdir(), "mixerless-bench-"));
  const reporter = json ? jsonReporter : tableReporter;
  const sizes = quick ? QUICK : FULL;
  try {
    const bench = new Bench({ sizes, directory, reporter, ports: await freePorts(PORTS) });
    const backend = await startBackend(bench.backendPort, directory);
    const machine = `${cpus().length} CPUs (${cpus()[0]?.model.trim()}), Node ${process.version}`;
    reporter.begin(`${machine}; backend ${backend.name}; ${sizes.rounds} rounds of ${sizes.requests} requests`);
    for (const name of row) await ROWS[name](bench);
  } finally {
    await stopAll();
    rmSync(directory, { recursive: true, force: true });
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stopAll().then(() => process.exit(1)));

try {
  const chosen = options();
  if (chosen.help) process.stdout.write(USAGE);
  else await run(chosen);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exitCode = 1;
}
