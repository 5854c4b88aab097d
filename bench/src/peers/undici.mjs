import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listening, PROXY_CPU, startProgram } from "../process.mjs";

const PROGRAM = fileURLToPath(new URL("../programs/undici-proxy.mjs", import.meta.url));
const PACKAGE = fileURLToPath(new URL("../../node_modules/undici/package.json", import.meta.url));

export const undici = {
  name: "undici",
  get program() {
    return existsSync(PACKAGE) ? process.execPath : null;
  },
  async start({ port, backendPort, directory }) {
    const args = [PROGRAM, String(port), String(backendPort)];
    const child = startProgram(PROXY_CPU, process.execPath, args, join(directory, "undici.out"));
    await listening(child, port, "undici");
    return { name: "undici", child, port };
  },
};
