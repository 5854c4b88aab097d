import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LOAD_CPU, listening, startProgram } from "../process.mjs";
import { nginx, startNginxBackend } from "./nginx.mjs";

const PROGRAM = fileURLToPath(new URL("../programs/backend.mjs", import.meta.url));

/** What every proxy forwards to: nginx, or a small server of ours where it is missing. */
export async function startBackend(port, directory, cpu = LOAD_CPU) {
  if (nginx.program !== null) return startNginxBackend(port, directory, cpu);
  const child = startProgram(cpu, process.execPath, [PROGRAM, String(port)], join(directory, `backend-${port}.out`));
  await listening(child, port, "the backend");
  return { name: "node", child, port };
}
