import type { Clock, Timer } from "@mixerless/clock";

/** Resolves with `awaited`, or after so many milliseconds without it. */
export async function atMost(clock: Clock, milliseconds: number, awaited: Promise<void>): Promise<void> {
  let timer: Timer | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = clock.after(milliseconds, resolve);
  });
  await Promise.race([awaited, patience]);
  timer?.cancel();
}
