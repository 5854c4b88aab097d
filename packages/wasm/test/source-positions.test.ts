import { describe, expect, test } from "vitest";
import {
  decodeMappings,
  embedSourceMap,
  encodeMappings,
  isFault,
  loadModule,
  pluginConfig,
  resolveLimits,
} from "../src/index.ts";
import { assemble, moduleText, TestHost } from "../src/testing/index.ts";

const TRAP = `(func $inner unreachable) (func (export "proxy_on_log") (param $id i32) (call $inner))`;

/** The module of a trap whose every byte stems from line 7, column 3 of a file. */
function withMap(map: string): Uint8Array<ArrayBuffer> {
  return embedSourceMap(assemble(moduleText(TRAP)), map);
}

const line7 = { position: 0, source: 0, line: 6, column: 2 };
const good = JSON.stringify({ version: 3, sources: ["src/plugin.ts"], mappings: encodeMappings([line7]) });

async function backtraceWith(map: string): Promise<readonly string[]> {
  const test = new TestHost();
  const plugin = test.host.create(pluginConfig("test"), await test.load(withMap(map)));
  test.open(plugin).context.onLog();
  const frames = plugin.status().lastFailure?.backtrace ?? [];
  test.close();
  return frames;
}

describe("where a module traps", () => {
  test("is said in terms of its sources, where it brings a source map along", async () => {
    const frames = await backtraceWith(good);
    expect(frames).toHaveLength(2);
    for (const frame of frames) expect(frame).toMatch(/^0x[0-9a-f]+ - .* \(src\/plugin\.ts:7:3\)$/);
  });

  test("is said in bytes where the map does not reach", async () => {
    const far = encodeMappings([{ ...line7, position: 1_000_000 }]);
    const none = encodeMappings([line7, { ...line7, position: 1, source: -1 }]);
    for (const mappings of [far, none, ""]) {
      const [frame] = await backtraceWith(JSON.stringify({ version: 3, sources: ["a.ts"], mappings }));
      expect(frame).toMatch(/^0x[0-9a-f]+ - [^(]*$/);
    }
  });

  const hostile = [
    "",
    "{",
    "[]",
    '{"sources":3,"mappings":"AAAA"}',
    '{"sources":["a"],"mappings":"A!"}',
    '{"sources":[],"mappings":"gggggggggggg"}',
  ];
  test.each(hostile)("is said in bytes where the map is none: %s", async (map) => {
    const [frame] = await backtraceWith(map);
    expect(frame).toMatch(/^0x[0-9a-f]+ - [^(]*$/);
  });

  test("names no file in characters that could steer a terminal", async () => {
    const map = JSON.stringify({ sources: [`\u001b[2J${"x".repeat(500)}`], mappings: encodeMappings([line7]) });
    const [frame = ""] = await backtraceWith(map);
    expect(frame).toContain("(?[2Jxxx");
    expect(frame.length).toBeLessThan(300);
  });

  test("costs a module nothing else: it loads with any section of that name", async () => {
    for (const map of [good, "x".repeat(2_000_000)]) {
      expect(isFault(await loadModule(withMap(map), resolveLimits({})))).toBe(false);
    }
  });
});

describe("mappings", () => {
  test("come back as they were", () => {
    const mappings = [
      line7,
      { position: 12, source: 1, line: 0, column: 40 },
      { position: 99, source: -1, line: 0, column: 40 },
      { position: 70_000, source: 0, line: 3_000, column: 0 },
    ];
    expect(decodeMappings(encodeMappings(mappings))).toEqual(mappings);
  });

  test("are null where they are none", () => {
    for (const text of ["AA", "AAA", "A~AA", "g", "D"]) expect(decodeMappings(text), text).toBeNull();
  });
});
