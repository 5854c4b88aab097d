import { once } from "node:events";
import { get } from "node:http";
import { fileURLToPath } from "node:url";
import { PROXY_CPU, startTalking, stopProgram } from "../process.mjs";
import { median } from "../rounds.mjs";

const PROGRAM = fileURLToPath(new URL("../programs/scrape.mjs", import.meta.url));
const SERIES = 100_000;

/** 100,000 series of 20 labels over HTTP: CPU of a scrape, and the longest that it kept other work waiting. */
export async function scrape(bench) {
  const port = bench.nextPort();
  const { child, line, send } = startTalking(PROXY_CPU, process.execPath, [PROGRAM, String(port), String(SERIES)]);
  const measured = async () => {
    send("");
    return JSON.parse(await line());
  };
  await measured();
  const first = await whole(port, measured);
  const later = [];
  for (let round = 0; round < bench.sizes.rounds; round++) later.push(await whole(port, measured));
  bench.reportAbsolute("scrape", "cpu_ms_first", first.cpu);
  bench.reportAbsolute("scrape", "cpu_ms", median(later.map(({ cpu }) => cpu)));
  bench.reportAbsolute("scrape", "longest_stall_ms_first", first.stall);
  bench.reportAbsolute("scrape", "longest_stall_ms", median(later.map(({ stall }) => stall)));
  await stopProgram(child);
}

/** One scrape. Throws unless every series came, each in a line of its own. */
async function whole(port, measured) {
  const [response] = await once(get(`http://127.0.0.1:${port}/stats/prometheus`), "response");
  let series = 0;
  let rest = "";
  for await (const chunk of response) {
    const lines = (rest + chunk.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("istio_requests_total{")) series++;
  }
  if (series !== SERIES || rest !== "") throw new Error(`the scrape showed ${series} of ${SERIES} series`);
  return measured();
}
