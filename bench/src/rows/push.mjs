import { fileURLToPath } from "node:url";
import { LOAD_CPU, PROXY_CPU, startTalking, stopProgram } from "../process.mjs";
import { median } from "../rounds.mjs";

const PILOT = fileURLToPath(new URL("../programs/pilot.mjs", import.meta.url));
const FLEET = fileURLToPath(new URL("../programs/fleet.mjs", import.meta.url));
const SERVICES = 10;
const ROUNDS = 5;
const CHANGES = { endpoint: "ClusterLoadAssignment", virtualservice: "RouteConfiguration" };

/**
 * One changed endpoint and one new or changed VirtualService to 1,000 proxies that want everything of 10 services:
 * until all responses are handed to the transport, and until the last proxy has its own. What a proxy costs beside
 * what it costs where there are 100 is the ratio: it must not grow with their number.
 */
export async function push(bench) {
  const few = await measure(100);
  const many = await measure(1000);
  for (const change of Object.keys(CHANGES)) {
    bench.reportPair("push", "self", `${change}_cpu_us_per_client`, many[change].cpu, few[change].cpu);
    bench.reportAbsolute("push", `${change}_handed_ms`, many[change].handed);
    bench.reportAbsolute("push", `${change}_all_ms`, many[change].all);
  }
  bench.reportAbsolute("push", "rss_mb", many.rss);
}

async function measure(clients) {
  const pilot = startTalking(PROXY_CPU, process.execPath, [PILOT, String(SERVICES)]);
  const address = await pilot.line();
  const fleet = startTalking(LOAD_CPU, process.execPath, [FLEET, address, String(clients), String(SERVICES)]);
  await fleet.line();
  const found = { rss: 0 };
  for (const [change, type] of Object.entries(CHANGES)) {
    const rounds = [];
    for (let i = 0; i <= ROUNDS; i++) rounds.push(await once(pilot, fleet, change, type));
    // The first has the CPU of connecting in it.
    rounds.shift();
    const part = (name) => median(rounds.map((round) => round[name]));
    found[change] = { handed: part("handed"), all: part("all"), cpu: (part("cpu") * 1000) / clients };
    found.rss = Math.max(...rounds.map(({ rss }) => rss));
  }
  await stopProgram(fleet.child);
  await stopProgram(pilot.child);
  return found;
}

/** Throws when anything but what the change concerns was sent. */
async function once(pilot, fleet, change, type) {
  fleet.send("");
  await fleet.line();
  pilot.send(change);
  const { end, types } = JSON.parse(await fleet.line());
  const { start, handed, cpu, rss } = JSON.parse(await pilot.line());
  if (types.length !== 1 || !types[0].endsWith(type)) throw new Error(`${change} sent ${types.join(", ")}`);
  return { handed, all: end - start, cpu, rss };
}
