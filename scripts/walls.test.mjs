import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { checkWalls } from "./walls.mjs";

const table = { clock: [], wire: ["clock"], proxy: ["clock", "wire"], extensions: [] };

function manifest(name, dependencies = [], exports = { ".": "./dist/index.js" }) {
  const names = dependencies.map((dependency) => [`@mixerless/${dependency}`, "0.1.0"]);
  return JSON.stringify({ name: `@mixerless/${name}`, exports, dependencies: Object.fromEntries(names) });
}

/** A tree in which every wall stands. */
const sound = {
  "package.json": JSON.stringify({ workspaces: ["packages/*", "samples/*"] }),
  "packages/clock/package.json": manifest("clock", [], {
    ".": "./dist/index.js",
    "./testing/*": "./dist/testing/*.js",
  }),
  "packages/clock/src/index.ts": 'export * from "./clock.ts";',
  "packages/clock/src/clock.ts": "export const now = 0;",
  "packages/wire/package.json": manifest("wire", ["clock"]),
  "packages/wire/tsconfig.json": '{ "references": [{ "path": "../clock" }], }',
  "packages/wire/src/index.ts": 'import { readFileSync } from "node:fs";\nimport type { now } from "@mixerless/clock";',
  "packages/proxy/package.json": manifest("proxy", ["wire"]),
  "packages/proxy/bin/proxy.js": 'await import("../dist/index.js");',
  "packages/proxy/src/index.ts": 'import "@mixerless/wire";\nimport "yaml";',
};

/** The faults of the sound tree with `changes` made to it; `null` deletes a file. */
function faultsOf(changes) {
  const root = mkdtempSync(join(tmpdir(), "walls-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries({ ...sound, ...changes })) {
    if (text === null) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkWalls(root, table);
}

test("a sound tree has no faults, and everything in it was seen", () => {
  const { faults, counts } = faultsOf({});
  expect(faults).toEqual([]);
  expect(counts).toEqual({ packages: 3, modules: 5, onDisk: 5, imports: 6, crossings: 2, computed: 0 });
});

const index = "packages/wire/src/index.ts";

test.each([
  ["a package off its row", 'import "@mixerless/proxy";', "wire may not import proxy"],
  ["one for its types only", 'import type { X } from "@mixerless/proxy";', "wire may not import proxy"],
  ["one by an import type", 'export type X = import("@mixerless/proxy").X;', "wire may not import proxy"],
  ["one by export", 'export * from "@mixerless/proxy";', "wire may not import proxy"],
  ["one lazily", 'await import("@mixerless/proxy");', "wire may not import proxy"],
  ["one by asking where it is", 'import.meta.resolve("@mixerless/proxy");', "wire may not import proxy"],
  ["the inside of one by name", 'import "@mixerless/clock/src/clock.ts";', "is inside of clock"],
  ["the inside of one by path", 'import "../../clock/src/clock.ts";', "leaves the package by path"],
  ["the built inside of one", 'new URL("../../clock/dist/clock.js", import.meta.url);', "leaves the package by path"],
  ["a neighbour whose name begins the same", 'import "../../wire-extra/x.ts";', "leaves the package by path"],
  ["one that does not exist", 'import "@mixerless/ghost";', "there is no package @mixerless/ghost"],
  ["a file that does not exist", 'import "./ghost.ts";', "leads to no file"],
  ["text that is no program", "import {", "can't be parsed"],
])("finds %s", (_, text, fault) => {
  const { faults } = faultsOf({ [index]: text });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(new RegExp(`^${index}:`));
  expect(faults[0]).toContain(fault);
});

test("finds an import that the manifest does not ask for", () => {
  const { faults } = faultsOf({ "packages/proxy/src/index.ts": 'import "@mixerless/clock";' });
  expect(faults).toEqual([expect.stringContaining("@mixerless/clock is missing in the dependencies")]);
});

test("a door of the manifest may be a pattern", () => {
  expect(faultsOf({ [index]: 'import "@mixerless/clock/testing/manual";' }).faults).toEqual([]);
  expect(faultsOf({ [index]: 'import "@mixerless/clock/testing/";' }).faults).toHaveLength(1);
});

test("finds what manifest and references ask for beyond the row", () => {
  const { faults } = faultsOf({
    "packages/wire/package.json": manifest("wire", ["clock", "proxy"]),
    "packages/wire/tsconfig.json": '{ "references": [{ "path": "../clock" }, { "path": "../proxy" }] }',
  });
  expect(faults).toEqual([
    "packages/wire/package.json: wire may not depend on proxy",
    "packages/wire/tsconfig.json: wire may not reference proxy",
  ]);
});

test("finds a package without a row", () => {
  const { faults } = faultsOf({ "packages/annex/package.json": manifest("annex"), "packages/annex/src/index.ts": "" });
  expect(faults).toEqual([expect.stringMatching(/^packages\/annex: no row/)]);
});

test.each(["packages/loose.ts", "packages/proxy-old/src/index.ts", "lib/helper.js"])(
  "finds %s outside of all",
  (path) => {
    const { faults } = faultsOf({ [path]: "" });
    expect(faults).toContain(`${path}: belongs to no package with walls`);
    expect(faults).toContain("only 5 modules were seen, 6 are on disk");
  },
);

test("is not content with nothing", () => {
  const nothing = Object.fromEntries(Object.keys(sound).map((path) => [path, null]));
  const { faults } = faultsOf({ ...nothing, "package.json": sound["package.json"] });
  expect(faults).toEqual(["only 0 modules were seen, 0 are on disk"]);
});

test("finds the shortest way round a circle, but lets types and lazy imports close one", () => {
  const circle = {
    "packages/clock/src/index.ts": 'import "./a.ts";',
    "packages/clock/src/a.ts": 'import { b } from "./b.ts";',
    "packages/clock/src/b.ts": 'export { c } from "./c.js";\nimport "./a.ts";',
    "packages/clock/src/c.ts": 'import "./index.ts";',
  };
  expect(faultsOf(circle).faults).toEqual([
    "circle: packages/clock/src/a.ts → packages/clock/src/b.ts → packages/clock/src/a.ts",
  ]);
  const harmless = { "packages/clock/src/b.ts": 'import type { A } from "./a.ts";\nawait import("./a.ts");' };
  expect(faultsOf({ ...circle, ...harmless }).faults).toEqual([]);
});

test("a module that imports itself is a circle", () => {
  expect(faultsOf({ "packages/clock/src/clock.ts": 'import "./clock.ts";' }).faults).toHaveLength(1);
});

test("a row that names one below it is a fault of the table", () => {
  const root = mkdtempSync(join(tmpdir(), "walls-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "package.json"), '{"workspaces": []}');
  expect(checkWalls(root, { a: ["b"], b: ["a"] }).faults[0]).toBe("walls-table: the row a names b, not above it");
});

test("imports whose names are made at run time are counted", () => {
  const { faults, counts } = faultsOf({ [index]: "await import(name);" });
  expect([faults, counts.computed]).toEqual([[], 1]);
});
