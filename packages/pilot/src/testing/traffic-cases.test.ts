import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { generateTraffic } from "./generate-traffic.ts";
import { mismatches } from "./mismatches.ts";
import { provenanceFaults } from "./provenance-faults.ts";
import { readTrafficCases, TRAFFIC_CASES, type TrafficCase } from "./traffic-case.ts";

const files = new Map<string, TrafficCase[]>();
for (const entry of readTrafficCases(TRAFFIC_CASES)) files.set(entry.file, [...(files.get(entry.file) ?? []), entry]);

const OF_NO_OBJECT =
  /^(BlackHoleCluster|PassthroughCluster|InboundPassthroughCluster|agent|prometheus_stats|virtual.*)$/;

describe.each([...files])("traffic generation: %s", (_file, cases) => {
  it.each(cases.map((entry) => [`${entry.rule} ${entry.name}`, entry] as const))("%s", (_name, entry) => {
    const traffic = generateTraffic(entry, TRAFFIC_CASES);
    const { json, unexplained } = traffic;
    const found = Object.entries(entry.expect).flatMap(([type, expected]) => mismatches(expected, json[type], type));
    expect(found).toEqual([]);
    expect(provenanceFaults(traffic)).toEqual([]);
    // Whatever comes of an object names it; what every proxy has comes of none.
    expect(unexplained.filter((name) => !OF_NO_OBJECT.test(name))).toEqual([]);
    for (const [type, names] of Object.entries(entry.names)) {
      expect(Object.keys(json[type] ?? {}).sort()).toEqual([...names].sort());
    }
  });
});

it("every case expects something", () => {
  for (const { name, expect: expected, names } of [...files.values()].flat())
    expect(Object.keys({ ...expected, ...names }), name).not.toEqual([]);
});

it("every case and file that the table of edges names is there", () => {
  const named = readFileSync(new URL("README.md", TRAFFIC_CASES), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .flatMap((line) => [...(line.split(" | ").at(-1) ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ""));
  const cases = new Set([...files.values()].flat().map(({ name }) => name));
  const isThere = (name: string) =>
    name.endsWith(".test.ts") ? existsSync(new URL(`../../src/${name}`, TRAFFIC_CASES)) : cases.has(name);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((name) => !isThere(name))).toEqual([]);
});
