import { describe, expect, it } from "vitest";
import { mergeReports } from "./merge-reports.ts";
import type { PluginReport } from "./plugin-status.ts";

const report = (own: Partial<PluginReport>): PluginReport => ({
  ...{ name: "ns.p", place: "l/c/f", state: "running", digest: "d1", refusedDigest: "", since: 1, lastError: null },
  ...{ source: "oci://r/p:v1", version: "", calls: 0, traps: 0, microsecondsPerCall: 0, memory: 65_536 },
  ...{ streams: 0, failedStreams: 0, bypassedStreams: 0 },
  ...own,
});

describe("the reports of several workers", () => {
  it("add up what is counted, and weigh the time of a call by the calls", () => {
    const [one, ...more] = mergeReports([
      report({ calls: 30, traps: 1, microsecondsPerCall: 2, streams: 1, failedStreams: 2, bypassedStreams: 3 }),
      report({ calls: 10, traps: 2, microsecondsPerCall: 6, streams: 1, failedStreams: 1, bypassedStreams: 1 }),
    ]);
    expect(more).toEqual([]);
    expect(one).toMatchObject({ calls: 40, traps: 3, microsecondsPerCall: 3, memory: 131_072 });
    expect(one).toMatchObject({ streams: 2, failedStreams: 3, bypassedStreams: 4 });
  });

  it("tell the state of the one that is worst off, with its digest, time and error", () => {
    const lastError = { message: "unreachable", callback: "proxy_on_log", backtrace: ["0x1 - f"] };
    const back = report({ state: "rolled_back", refusedDigest: "d2", since: 9, lastError });
    const new2 = report({ digest: "d2", since: 5 });
    for (const order of [
      [back, new2],
      [new2, back],
    ])
      expect(mergeReports(order)).toMatchObject([{ state: "rolled_back", digest: "d1", since: 9, lastError }]);
  });

  it("stay apart for different plugins and places", () => {
    expect(mergeReports([report({}), report({ place: "other" }), report({ name: "ns.q" })])).toHaveLength(3);
  });
});
