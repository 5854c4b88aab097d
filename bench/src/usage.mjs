import { readdirSync, readFileSync } from "node:fs";

/** A program and everything it started, as the system knows them now. */
export function processTree(pid) {
  const pids = [pid];
  for (let i = 0; i < pids.length; i++) pids.push(...childrenOf(pids[i]));
  return pids;
}

function childrenOf(pid) {
  return tasksOf(pid).flatMap((task) => {
    const text = read(`/proc/${pid}/task/${task}/children`);
    return text.trim() === "" ? [] : text.trim().split(" ").map(Number);
  });
}

/** Microseconds of CPU, user and system together, that the tree of a program has used so far. */
export function cpuMicroseconds(pid) {
  return processTree(pid).reduce((sum, one) => sum + processMicroseconds(one), 0);
}

// The scheduler counts in nanoseconds; `stat` only in hundredths of a second, but where the kernel has no
// schedstat it must do. Threads that ended are lost in the first: none of the programs here ends any.
function processMicroseconds(pid) {
  let nanoseconds = 0;
  for (const task of tasksOf(pid)) {
    const text = read(`/proc/${pid}/task/${task}/schedstat`);
    if (text === "") return ticksOf(pid) * 10_000;
    nanoseconds += Number(text.split(" ")[0]);
  }
  return nanoseconds / 1000;
}

function ticksOf(pid) {
  const text = read(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return text === "" ? 0 : Number(fields[11]) + Number(fields[12]);
}

/** Megabytes that the tree of a program has in memory. */
export function residentMegabytes(pid) {
  const kilobytes = processTree(pid).map((one) => {
    return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${one}/status`))?.[1] ?? 0);
  });
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}

function tasksOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
