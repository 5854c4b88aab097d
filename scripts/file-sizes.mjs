// Source files stay small enough to be read in one sitting: more than 400 lines fail, more than 300 warn. A table of
// cases reads differently from code, so tests may be longer.
// Run as `node scripts/file-sizes.mjs`. What a program wrote is not counted.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isGenerated, sourceFiles } from "./source-files.mjs";

const limit = 400;
const testLimit = 700;
const warning = 300;

const root = resolve(process.argv[2] ?? dirname(import.meta.dirname));
const sizes = sourceFiles(root)
  .filter((path) => !isGenerated(path))
  .map((path) => ({ path, lines: readFileSync(join(root, path), "utf8").replace(/\n$/, "").split("\n").length }))
  .sort((one, other) => other.lines - one.lines);

const limitOf = (path) => (/\.test\.\w+$/.test(path) ? testLimit : limit);
const tooLong = sizes.filter(({ path, lines }) => lines > limitOf(path));
const long = sizes.filter(({ path, lines }) => lines > warning && lines <= limitOf(path));
for (const { path, lines } of tooLong)
  console.error(`error: ${path} has ${lines} lines, ${limitOf(path)} are the limit; split it`);
for (const { path, lines } of long)
  console.error(`warning: ${path} has ${lines} lines, close to the limit of ${limitOf(path)}`);
if (sizes.length === 0) console.error(`error: there is no source file below ${root}`);

const median = sizes[Math.floor(sizes.length / 2)]?.lines ?? 0;
console.log(
  `file sizes: ${sizes.length} files, median ${median} lines, ${long.length} long, ${tooLong.length} too long`,
);
process.exitCode = tooLong.length > 0 || sizes.length === 0 ? 1 : 0;
