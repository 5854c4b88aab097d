import type { Clock } from "@mixerless/clock";
import { StatusCode } from "../status-code.ts";
import type { Admit } from "./stream-peer.ts";

/** Admits `perSecond` new streams a second, and `burst` of them at once after a quiet time. */
export function createStreamRateLimit(clock: Clock, perSecond: number, burst: number = perSecond): Admit {
  let tokens = burst;
  let last = clock.monotonic();
  return () => {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + ((now - last) / 1000) * perSecond);
    last = now;
    if (tokens < 1) return { code: StatusCode.resourceExhausted, message: "too many new streams; try again later" };
    tokens -= 1;
    return null;
  };
}
