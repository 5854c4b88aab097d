import type { PluginReport, PluginState } from "./plugin-status.ts";

/** From what needs somebody's attention most to what needs none. */
const URGENCY: readonly PluginState[] = ["refused", "failing", "rolled_back", "fetching", "compiling", "running"];

/**
 * Reports of the same plugins from several workers, or places, as one each: counts are sums, the rest is told by the
 * one that is worst off.
 */
export function mergeReports<Report extends PluginReport>(
  reports: readonly Report[],
  keyOf: (report: Report) => string = placeKey,
): Report[] {
  const merged = new Map<string, Report>();
  for (const report of reports) {
    const known = merged.get(keyOf(report));
    merged.set(keyOf(report), known === undefined ? report : mergeTwo(known, report));
  }
  return [...merged.values()];
}

function placeKey({ name, place }: PluginReport): string {
  return `${name}\n${place}`;
}

function mergeTwo<Report extends PluginReport>(one: Report, two: Report): Report {
  const worse = URGENCY.indexOf(two.state) < URGENCY.indexOf(one.state) ? two : one;
  const other = worse === one ? two : one;
  const calls = one.calls + two.calls;
  const time = one.microsecondsPerCall * one.calls + two.microsecondsPerCall * two.calls;
  return {
    ...worse,
    lastError: worse.lastError ?? other.lastError,
    refusedDigest: worse.refusedDigest || other.refusedDigest,
    ...{ calls, traps: one.traps + two.traps, microsecondsPerCall: calls === 0 ? 0 : time / calls },
    ...{ memory: one.memory + two.memory, streams: one.streams + two.streams },
    failedStreams: one.failedStreams + two.failedStreams,
    bypassedStreams: one.bypassedStreams + two.bypassedStreams,
  };
}
