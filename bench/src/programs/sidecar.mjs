// The embedded proxy with the extensions that every sidecar has, from a bootstrap file: what the agent runs,
// without a control plane. Usage: node sidecar.mjs BOOTSTRAP.json
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

// As the command does for data planes, before the imports.
setFlagsFromString("--semi-space-growth-factor=1");
Buffer.allocUnsafeSlow(4 * 1024 * 1024);
const { SystemClock } = await import("@mixerless/clock");
const { createMetadataExchange, createStats } = await import("@mixerless/extensions");
const { createProxy, decodeBootstrap } = await import("@mixerless/proxy");

const decoded = decodeBootstrap(JSON.parse(readFileSync(process.argv[2], "utf8")));
if (decoded.faults !== undefined) throw new Error(JSON.stringify(decoded.faults));
const proxy = createProxy({
  bootstrap: decoded.message,
  clock: new SystemClock(),
  extensions: {
    "stats.PluginConfig": createStats,
    "io.istio.http.peer_metadata.Config": createMetadataExchange,
  },
  log: (message) => process.stderr.write(`${message}\n`),
  random: Math.random,
  uuid: randomUUID,
  onQuit: () => process.exit(0),
  version: "bench",
});
process.on("SIGTERM", () => process.exit(0));
// For the row "flood": a line with the megabytes that are left once everything is collected that nobody holds.
process.on("SIGUSR2", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  for (let i = 0; i < 4; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.stderr.write(`live ${(heapUsed + arrayBuffers) / 1e6}\n`);
});
await proxy.start();
