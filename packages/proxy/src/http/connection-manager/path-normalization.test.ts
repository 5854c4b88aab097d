import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizePath, type PathOptions } from "./path-normalization.ts";
import { APPLICATION, type Mode } from "./testing/lenient-application.ts";

const MODES: Readonly<Record<Mode, PathOptions>> = {
  NONE: { normalize: false, mergeSlashes: false, escapedSlashes: "keep" },
  BASE: { normalize: true, mergeSlashes: false, escapedSlashes: "keep" },
  MERGE_SLASHES: { normalize: true, mergeSlashes: true, escapedSlashes: "keep" },
  DECODE_AND_MERGE_SLASHES: { normalize: true, mergeSlashes: true, escapedSlashes: "unescape-and-forward" },
};

/** What tricks are made of; together they also make up escapes out of the rests of others. */
const PIECES = [
  ...["/", "/", "//", "\\", ".", ".", "..", "...", ";", ";x=1", "admin", "public", "a"],
  ...["%2e", "%2E", "%2f", "%2F", "%5c", "%5C", "%61", "%25", "%", "%%", "%2", "2", "e", "f", "5", "c", "6", "%c0%af"],
  ...["%32", "%66", "%65", "%35", "%63", "%43", "%zz", "~", "*"],
];

const paths = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);

function normalized(path: string, mode: Mode): string {
  const result = normalizePath(path, MODES[mode]);
  if (result === null) return path;
  return result.kind === "reject" ? "/" : result.path;
}

describe.each(Object.keys(MODES) as Mode[])("path normalization %s", (mode) => {
  it("leaves nothing for an application to resolve, so it reads what policies judged", () => {
    fc.assert(
      fc.property(paths, (path) => {
        const judged = normalized(path, mode);
        expect(APPLICATION[mode](judged)).toBe(judged);
      }),
      { numRuns: Number(process.env.MIXERLESS_PATH_RUNS ?? 5000) },
    );
  });

  it("changes nothing when it is done twice", () => {
    fc.assert(
      fc.property(paths, (path) => {
        const once = normalized(path, mode);
        expect(normalized(once, mode)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });
});

it.each([
  ["/public/%2%65%2%65/admin", "/public/%252e%252e/admin"],
  ["/public/..%2%66admin", "/public/..%252fadmin"],
  ["/%%36%31dmin", "/%2561dmin"],
  ["/%%32%65", "/%252e"],
  ["/100%", "/100%"],
  ["/%zz", "/%zz"],
  ["/%2", "/%2"],
])("makes no escape out of the rests of others: %s", (path, expected) => {
  expect(normalized(path, "BASE")).toBe(expected);
});
