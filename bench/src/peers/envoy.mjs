import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listening, PROXY_CPU, startProgram } from "../process.mjs";
import { bootstrap } from "./mixerless.mjs";

/** Where `npm run interop:setup` puts it. */
const PROGRAM = fileURLToPath(new URL("../../../interop/.python/bin/envoy", import.meta.url));

/** The same configuration as ours, without Istio's filters: a stock Envoy has none of them. */
export const envoy = {
  name: "envoy",
  get program() {
    return existsSync(PROGRAM) ? PROGRAM : null;
  },
  async start({ port, backendPort, directory, features }) {
    const file = join(directory, "envoy.json");
    const log = join(directory, "envoy.log.json");
    const stock = { ...features, stats: false, exchange: false };
    writeFileSync(file, JSON.stringify(bootstrap(port, backendPort, log, stock)));
    const args = ["-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"];
    const child = startProgram(PROXY_CPU, PROGRAM, args, join(directory, "envoy.out"));
    await listening(child, port, "envoy");
    return { name: "envoy", child, port };
  },
};
