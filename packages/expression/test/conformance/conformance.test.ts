import { getTestRegistry } from "@bufbuild/cel-spec/testdata/registry.js";
import { getConformanceSuite, type IncrementalTestSuite } from "@bufbuild/cel-spec/testdata/tests.js";
import { createRegistry, type Registry } from "@bufbuild/protobuf";
import { file_google_protobuf_empty, file_google_protobuf_field_mask } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { encoders } from "../../src/library/encoders.ts";
import { mathLibrary } from "../../src/library/math.ts";
import { optionalLibrary } from "../../src/library/optionals.ts";
import { standardLibrary } from "../../src/library/standard.ts";
import { stringsLibrary } from "../../src/library/strings.ts";
import { runCase } from "./run-case.ts";

const registry: Registry = createRegistry(
  getTestRegistry(),
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
);
const library = [...standardLibrary(), ...stringsLibrary(), ...mathLibrary(), ...encoders(), ...optionalLibrary()];

/**
 * Enums as types of their own contradict enums as ints, which the other cases of the same file ask for and which every
 * implementation in the field has chosen.
 */
const EXCLUDED = ["enums/strong_proto2", "enums/strong_proto3"];

function countOf(suite: IncrementalTestSuite): number {
  return suite.tests.length + suite.suites.reduce((sum, below) => sum + countOf(below), 0);
}

interface Outcome {
  readonly run: number;
  readonly excluded: number;
  readonly failed: readonly string[];
}

function run(suite: IncrementalTestSuite, path: string): Outcome {
  if (EXCLUDED.includes(path)) return { run: 0, excluded: countOf(suite), failed: [] };
  let excluded = 0;
  let count = 0;
  const failed: string[] = [];
  for (const { name, original } of suite.tests) {
    count++;
    let problem: string | null;
    try {
      problem = runCase(original, library, registry);
    } catch (error) {
      problem = `thrown: ${(error as Error).stack?.slice(0, 600)}`;
    }
    if (problem !== null) failed.push(`${path}/${name}: ${original.expr.slice(0, 160)}: ${problem}`);
  }
  for (const below of suite.suites) {
    const inner = run(below, `${path}/${below.name}`);
    count += inner.run;
    excluded += inner.excluded;
    failed.push(...inner.failed);
  }
  return { run: count, excluded, failed };
}

describe("the conformance suite of CEL", () => {
  const outcomes = getConformanceSuite().suites.map((suite) => ({ name: suite.name, ...run(suite, suite.name) }));

  it.each(outcomes)("$name: $run cases", ({ failed }) => {
    expect(failed).toEqual([]);
  });

  it("is run whole but for what is excluded with a reason", () => {
    const sum = (count: (outcome: Outcome) => number) => outcomes.reduce((total, one) => total + count(one), 0);
    expect([sum(({ run: count }) => count), sum(({ excluded }) => excluded)]).toEqual([2298, 46]);
  });
});
