import { fileURLToPath } from "node:url";
import { findProgram, LOAD_CPU, runProgram, startTalking } from "./process.mjs";
import { HEADERS, PATH } from "./traffic.mjs";

const CLIENT = fileURLToPath(new URL("./programs/client.mjs", import.meta.url));
const TIMEOUT = 120_000;

/** Sends `requests` requests over keep-alive connections, as fast as they are answered. Throws unless all got a 200. */
export async function load(port, { requests, connections = 32, headers = HEADERS, tls = false }) {
  const h2load = findProgram("h2load");
  if (h2load === null) {
    await client({ mode: "closed", port, requests, connections, headers, tls });
    return;
  }
  const given = headers.flatMap(([name, value]) => ["-H", `${name === "host" ? ":authority" : name}: ${value}`]);
  const args = ["--h1", "-n", String(requests), "-c", String(connections), ...given];
  const output = await runProgram(
    LOAD_CPU,
    h2load,
    [...args, `${tls ? "https" : "http"}://127.0.0.1:${port}${PATH}`],
    TIMEOUT,
  );
  const ok = Number(/status codes: (\d+) 2xx/.exec(output)?.[1]);
  if (ok !== requests) throw new Error(`${requests} requests to port ${port}, ${ok} answered with 200:\n${output}`);
}

/** Runs our own client, pinned beside the backend, and gives what it found. */
export async function client(job) {
  const text = JSON.stringify({ path: PATH, headers: HEADERS, ...job });
  return JSON.parse(await runProgram(LOAD_CPU, process.execPath, [CLIENT, text], TIMEOUT));
}

/** Opens keep-alive connections, sends one request over each and leaves them open. Stop the program to close them. */
export async function openIdle(port, connections) {
  const job = { path: PATH, headers: HEADERS, mode: "idle", port, connections };
  const program = startTalking(LOAD_CPU, process.execPath, [CLIENT, JSON.stringify(job)]);
  await program.line();
  return program.child;
}
