import cluster from "node:cluster";
import type { FromWorker, StartWorker, ToWorker } from "./messages.ts";

/** Says that a worker listens to its primary: what is sent before, `node:cluster` loses. */
const HELLO = { type: "hello" } as const;

/**
 * Starts workers by `node:cluster`: the primary binds, the workers accept from one shared socket, as the kernel wakes
 * them. So an address is bound once, on every version of Node, and what waits in the backlog survives a worker.
 * (Round robin, Node's default, hands each connection on and costs three times as much [performance §4].)
 */
export function clusterWorkers(program: string, args: readonly string[]): StartWorker {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: program, args: [...args], serialization: "advanced" });
  return ({ onMessage, onExit }) => {
    const worker = cluster.fork();
    let early: ToWorker[] | null = [];
    const post = (message: ToWorker) => {
      if (worker.isConnected()) worker.send(message, () => {});
    };
    worker.on("message", (message: FromWorker | typeof HELLO) => {
      if (message.type !== "hello") {
        onMessage(message);
        return;
      }
      const waiting = early ?? [];
      early = null;
      waiting.forEach(post);
    });
    worker.on("error", () => {});
    worker.on("exit", (code, signal) => onExit(signal === null ? `status ${code}` : `signal ${signal}`));
    return {
      pid: worker.process.pid ?? 0,
      send: (message) => {
        if (early === null) post(message);
        else early.push(message);
      },
      kill: () => worker.process.kill("SIGKILL"),
    };
  };
}

/** Connects a worker process to its primary. The primary's end is its own: `node:cluster` sees to that. */
export function connectToPrimary(receive: (message: ToWorker) => void): (message: FromWorker) => void {
  if (!cluster.isWorker || process.send === undefined)
    throw new Error("This is a worker of mixerless proxy or agent; start one of these with --concurrency.");
  process.on("message", (message: ToWorker) => receive(message));
  process.send(HELLO);
  return (message) => {
    if (process.connected) process.send?.(message, undefined, {}, () => {});
  };
}
