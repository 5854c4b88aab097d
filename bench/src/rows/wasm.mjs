import { execFileSync } from "node:child_process";
import { get } from "node:http";
import { fileURLToPath } from "node:url";
import { mixerless } from "../peers/mixerless.mjs";
import { stopProgram } from "../process.mjs";
import { compare, cpuRounds, median } from "../rounds.mjs";
import { HEADERS } from "../traffic.mjs";
import { pluginBytes } from "../wasm-plugin.mjs";

const PROGRAM = fileURLToPath(new URL("../programs/wasm.mjs", import.meta.url));
const PLAIN = { routing: true, stats: false, exchange: false, log: false };

/**
 * A plugin with two callbacks, twelve host calls and four added headers: CPU that it adds to a stream in the host alone,
 * and to a request through the proxy.
 */
export async function wasm(bench) {
  const { requests, rounds } = bench.sizes;
  const printed = execFileSync(process.execPath, [PROGRAM, String(requests * 10), String(rounds)], {
    encoding: "utf8",
  });
  for (const [metric, value] of Object.entries(JSON.parse(printed))) bench.reportAbsolute("wasm", metric, value);

  const admin = bench.nextPort();
  const plugin = Buffer.from(pluginBytes()).toString("base64");
  const subjects = [
    { subject: await bench.start(mixerless, { ...PLAIN, plugin, admin }, "with"), headers: HEADERS },
    { subject: await bench.start(mixerless, PLAIN, "without"), headers: HEADERS },
  ];
  const [ours, theirs] = await cpuRounds(subjects, bench.sizes);
  const wanted = 2 * (bench.sizes.warmup + rounds * requests);
  const counted = await countOf(admin);
  if (counted !== wanted) throw new Error(`the plugin counted ${counted} callbacks of ${wanted}`);
  bench.report("wasm", "self", "cpu_us_per_request", compare(ours, theirs));
  bench.reportAbsolute("wasm", "added_us_per_request", median(ours.map((value, i) => value - theirs[i])));
  await Promise.all(subjects.map(({ subject }) => stopProgram(subject.child)));
}

/** What the plugin has counted. */
function countOf(port) {
  return new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${port}/stats/prometheus`, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve(Number(/^counter (\d+)$/m.exec(text)?.[1]));
    }).on("error", reject);
  });
}
