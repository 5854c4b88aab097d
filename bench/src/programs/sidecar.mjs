// The embedded proxy with the extensions that every sidecar has, from a bootstrap file: what the agent runs,
// without a control plane. Usage: node sidecar.mjs BOOTSTRAP.json
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

// As the command does for data planes, before the imports.
setFlagsFromString("--semi-space-growth-factor=1");
Buffer.allocUnsafeSlow(1024 * 1024);
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
await proxy.start();
