import { type Registry, createRegistry } from "@bufbuild/protobuf";
import { file_google_protobuf_empty, file_google_protobuf_field_mask } from "@bufbuild/protobuf/wkt";
import { getTestRegistry } from "@bufbuild/cel-spec/testdata/registry.js";
import { getConformanceSuite, type IncrementalTestSuite } from "@bufbuild/cel-spec/testdata/tests.js";
import { describe, expect, it } from "vitest";
import { standardLibrary } from "../../src/library/standard.ts";
import { runCase } from "./run-case.ts";

const registry: Registry = createRegistry(getTestRegistry(), file_google_protobuf_empty, file_google_protobuf_field_mask);
const library = standardLibrary();

function failures(suite: IncrementalTestSuite, path: string): { count: number; failed: string[] } {
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
    const inner = failures(below, `${path}/${below.name}`);
    count += inner.count;
    failed.push(...inner.failed);
  }
  return { count, failed };
}

describe("the conformance suite of CEL", () => {
  for (const suite of getConformanceSuite().suites) {
    it(suite.name, () => {
      const { failed } = failures(suite, suite.name);
      expect(failed).toEqual([]);
    });
  }
});
