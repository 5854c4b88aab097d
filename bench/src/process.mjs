import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { connect } from "node:net";
import { cpus } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** CPU of the proxies, and of backend and load. With one CPU everything shares it. */
export const PROXY_CPU = 0;
export const LOAD_CPU = cpus().length > 1 ? 1 : 0;

/** The path of a program, also of those for administrators, or null. */
export function findProgram(name) {
  for (const directory of [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"]) {
    if (directory !== "" && existsSync(join(directory, name))) return join(directory, name);
  }
  return null;
}

/** Command and arguments that run a program on one CPU, where the system has a way. */
export function pinned(cpu, command, args) {
  const taskset = findProgram("taskset");
  return taskset === null ? [command, args] : [taskset, ["-c", String(cpu), command, ...args]];
}

const running = new Set();

/** Starts a program on a CPU. What it prints goes to a file, whose end is shown if it stops too early. */
export function startProgram(cpu, command, args, logFile) {
  const log = openSync(logFile, "w");
  const [file, all] = pinned(cpu, command, args);
  const child = spawn(file, all, { stdio: ["ignore", log, log] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Starts a program that one talks to by lines. `line` gives the next one that it prints. */
export function startTalking(cpu, command, args) {
  const [file, all] = pinned(cpu, command, args);
  const child = spawn(file, all, { stdio: ["pipe", "pipe", "inherit"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const next = await lines.next();
    if (next.done) throw new Error(`${args[0]} ended without a word`);
    return next.value;
  };
  return { child, line, send: (text) => child.stdin.write(`${text}\n`) };
}

/** Ends a program, and waits until it is gone. */
export async function stopProgram(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 2000);
  await gone;
  clearTimeout(timer);
}

export async function stopAll() {
  await Promise.all([...running].map(stopProgram));
}

/** Waits until somebody accepts on the port. */
export async function listening(child, port, what) {
  for (let i = 0; i < 200; i++) {
    if (child.exitCode !== null) throw new Error(`${what} stopped with status ${child.exitCode}`);
    if (await accepts(port)) return;
    await sleep(50);
  }
  throw new Error(`${what} doesn't listen on port ${port}`);
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Runs a program on a CPU to its end and gives what it printed. */
export async function runProgram(cpu, command, args, timeout) {
  const [file, all] = pinned(cpu, command, args);
  const child = spawn(file, all, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeout);
  const [status] = await once(child, "close");
  clearTimeout(timer);
  running.delete(child);
  if (status !== 0) throw new Error(`${command} ended with status ${status}: ${output.slice(-400)}`);
  return output;
}
