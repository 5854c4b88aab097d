import { performance } from "node:perf_hooks";
import type { Clock, Timer } from "./clock.ts";

/** The machine's own time. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(delay: number, callback: () => void): Timer {
    const handle = setTimeout(callback, delay).unref();
    return { cancel: () => clearTimeout(handle) };
  }

  every(interval: number, callback: () => void): Timer {
    const handle = setInterval(callback, interval).unref();
    return { cancel: () => clearInterval(handle) };
  }
}
