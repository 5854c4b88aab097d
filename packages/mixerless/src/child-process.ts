/** Milliseconds that a process has to stop. */
export const STOP_LIMIT = 5000;

/** What a process that the demo started has in common: it reports readiness and never outlives its parent. */
export function reportReady(): void {
  process.send?.({ ready: true });
}

/** Calls `stop` on SIGTERM, SIGINT or the death of the parent; the process ends when it is done, or after `limit` milliseconds. */
export function stopOnRequest(stop: () => Promise<void>, limit: number): () => void {
  let stopping = false;
  const begin = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(0), limit).unref();
    void stop().finally(() => process.exit(0));
  };
  process.once("SIGTERM", begin);
  process.once("SIGINT", begin);
  process.once("disconnect", begin);
  return begin;
}
