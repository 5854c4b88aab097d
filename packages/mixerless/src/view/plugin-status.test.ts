import { describe, expect, it } from "vitest";
import type { ProxyPlugin } from "../mesh/plugins.ts";
import { renderLine } from "./plugin-line.ts";
import { PLUGIN_HEADER, pluginErrors, pluginRows } from "./plugin-status.ts";
import { renderTable } from "./table.ts";

const plugin = (own: Partial<ProxyPlugin>): ProxyPlugin => ({
  ...{ proxy: "a.ns", name: "ns.p", place: "l/c/f", state: "running", digest: "0123456789abcdef", refusedDigest: "" },
  ...{ since: 1000, lastError: null, source: "oci://r/p:v1", version: "", calls: 10, traps: 0 },
  ...{ microsecondsPerCall: 1.25, memory: 1_048_576, streams: 0, failedStreams: 0, bypassedStreams: 0 },
  ...own,
});
const failed = { message: "unreachable", callback: "proxy_on_log", backtrace: ["0x1f - f", "0x2 - g"] };

describe("plugin status", () => {
  it("has one row for each plugin and proxy, over the places where it is", () => {
    const rows = pluginRows([plugin({ proxy: "b.ns" }), plugin({}), plugin({ place: "other", calls: 5 })], 61_000);
    expect(rows).toEqual([
      ["ns.p", "a.ns", "running", "1m", "0123456789ab", "15", "0", "1.3", "2.0Mi", ""],
      ["ns.p", "b.ns", "running", "1m", "0123456789ab", "10", "0", "1.3", "1.0Mi", ""],
    ]);
  });

  it("shows the last error with its position, in full below the table while it matters", () => {
    const back = plugin({ state: "rolled_back", lastError: failed, refusedDigest: "fedcba9876543210", traps: 1 });
    const table = renderTable(PLUGIN_HEADER, pluginRows([back], 1000), 3);
    expect(table).toMatch(/ns\.p +a\.ns +rolled back +0s +0123456789ab .* proxy_on_log 0x1f: unreachable\n$/);
    expect(pluginErrors([back, plugin({ proxy: "b.ns", lastError: failed })])).toBe(
      "\nns.p: proxy_on_log failed: unreachable (module fedcba987654, taken back)\n    at 0x1f - f\n    at 0x2 - g\n",
    );
  });

  it("shows what isn't known as a dash", () => {
    const rows = pluginRows([plugin({ state: "fetching", digest: "", calls: 0, memory: 0 })], 1000);
    expect(rows).toEqual([["ns.p", "a.ns", "fetching", "0s", "-", "0", "0", "-", "-", ""]]);
  });
});

describe("a line of a plugin's log", () => {
  it("tells time, proxy and level, and steers no terminal", () => {
    const line = { proxy: "a.ns", number: 1, process: 7, time: 0, level: 4, text: "wasm log p: \u001b[2Jx\ny" };
    expect(renderLine(line)).toBe("1970-01-01T00:00:00.000Z a.ns error wasm log p: \uFFFD[2Jx\n    y\n");
  });
});
