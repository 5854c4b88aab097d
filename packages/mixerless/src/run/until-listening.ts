import { connect } from "node:net";
import type { Clock } from "@mixerless/clock";

/** Milliseconds between two attempts, and for each of them. */
const INTERVAL = 50;
const PATIENCE = 1000;

/**
 * Resolves to true once something accepts connections at `port` of 127.0.0.1, or to false once `signal` says that
 * nobody waits any more. A connection is all that is tried: what the program speaks is its own affair.
 */
export async function untilListening(port: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await accepts(port, clock, signal)) return !signal.aborted;
    // An abort during the attempt has been heard by it alone.
    if (!signal.aborted) await pause(clock, signal);
  }
  return false;
}

function accepts(port: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (accepted: boolean) => {
      limit.cancel();
      signal.removeEventListener("abort", stop);
      socket.destroy();
      resolve(accepted);
    };
    const stop = () => done(false);
    const limit = clock.after(PATIENCE, stop);
    signal.addEventListener("abort", stop);
    socket.on("connect", () => done(true));
    socket.on("error", stop);
  });
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      timer.cancel();
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = clock.after(INTERVAL, wake);
    signal.addEventListener("abort", wake);
  });
}
