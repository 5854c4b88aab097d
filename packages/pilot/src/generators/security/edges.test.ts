import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const TABLE = new URL("../../../testdata/security/README.md", import.meta.url);
const SOURCE = new URL("../../", import.meta.url);

it("every edge of the policies has a test that is there", () => {
  const rows = readFileSync(TABLE, "utf8")
    .split("\n")
    .filter((line) => /^\|.*\.test\.ts`/.test(line))
    .map((line) => line.split(" | ").map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? "")));
  expect(rows.length).toBeGreaterThan(35);
  const missing = rows.flatMap(([, [file = ""] = [], words = []]) => {
    const url = new URL(file, SOURCE);
    const text = existsSync(url) ? readFileSync(url, "utf8") : "";
    return words.filter((word) => !text.includes(word)).map((word) => `${file}: ${word}`);
  });
  expect(missing).toEqual([]);
});
