/** Milliseconds that a process has to stop. */
export const STOP_LIMIT = 5000;

/** What a process that the demo started has in common: it reports readiness and never outlives its parent. */
export function reportReady(): void {
  process.send?.({ ready: true });
}

/** Ends this process once `close` is done, after `limit` milliseconds at the latest. */
export function endAfter(close: () => Promise<void>, limit: number): void {
  setTimeout(() => process.exit(0), limit).unref();
  void close().finally(() => process.exit(0));
}

/** Ends this process by way of `close` on SIGTERM, SIGINT or the death of the parent. Returns what has the same effect. */
export function stopOnRequest(close: () => Promise<void>, limit: number): () => void {
  const stop = once(() => endAfter(close, limit));
  onStopRequest(stop, stop);
  return stop;
}

/** Calls `stop` on SIGTERM or SIGINT, the same signal again ends the process; `quit` on the death of the parent. */
export function onStopRequest(stop: () => void, quit: () => void): void {
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  process.once("disconnect", quit);
}

/** `action`, but only for the first call. */
export function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) {
      done = true;
      action();
    }
  };
}
