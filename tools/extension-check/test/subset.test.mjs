import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repository } from "../src/extensions.mjs";
import { checkSubset } from "../src/subset.mjs";

const FIXTURE = "tools/extension-check/test/fixtures/violations.ts";

test("every rule finds its violation and nothing else", () => {
  const lines = readFileSync(join(repository, FIXTURE), "utf8").split("\n");
  const expected = lines.flatMap((line, i) => (line.endsWith("// fault") ? [i + 1] : []));
  const found = new Map(checkSubset([FIXTURE]).map((fault) => [fault.line, fault.rule]));
  const missed = expected.filter((line) => !found.has(line)).map((line) => lines[line - 1]);
  const wrong = [...found]
    .filter(([line]) => !expected.includes(line))
    .map(([line, rule]) => `${rule}: ${lines[line - 1]}`);
  assert.deepEqual({ missed, wrong }, { missed: [], wrong: [] });
});
