// Streams through the bench's plugin in the host alone; prints the CPU that it adds to each.
// Plain fake streams around it: what they cost is measured without the plugin and taken off.
import { FakeHttpStream, TestHost } from "../../../packages/wasm/dist/testing/index.js";
import { PLUGIN } from "../wasm-plugin.mjs";

const [streams = 100_000, rounds = 9] = process.argv.slice(2).map(Number);

const host = new TestHost();
host.services.level = 6;
const plugin = await host.plugin(PLUGIN);

function stream() {
  const facts = new FakeHttpStream();
  facts.attributes.request = { path: "/" };
  return facts;
}

function withPlugin() {
  const facts = stream();
  const context = plugin.openHttp(facts);
  context.onRequestHeaders(true);
  facts.respond();
  context.onResponseHeaders(true);
  context.onLog();
  context.onDestroy();
}

function without() {
  stream().respond();
}

/** CPU of one call, in microseconds. */
function cost(work) {
  const before = process.cpuUsage();
  for (let i = 0; i < streams; i++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / streams;
}

cost(withPlugin);
cost(without);
const differences = Array.from({ length: rounds }, () => cost(withPlugin) - cost(without)).sort((a, b) => a - b);
const counter = host.metrics.text().match(/^counter (\d+)$/m);
const { state, memory } = plugin.status();
if (state !== "running" || Number(counter?.[1]) !== (rounds + 1) * streams * 2)
  throw new Error("the plugin did not do its work");
console.log(JSON.stringify({ added_us_per_stream: differences[Math.floor(rounds / 2)], vm_memory_kb: memory / 1024 }));
host.close();
process.exit(0);
