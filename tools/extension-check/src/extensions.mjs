import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const here = join(dirname(fileURLToPath(import.meta.url)), "..");
export const repository = join(here, "..", "..");

/** The extensions that are built to Wasm, and the file of each that exports `createRoot`. */
export const extensions = [
  { name: "metadata_exchange", entry: "packages/extensions/src/metadata-exchange/filter.ts" },
  { name: "stats", entry: "packages/extensions/src/stats/filter.ts" },
];

/** Every file that both compilers read, relative to the repository. */
export function commonSources() {
  const all = ["packages/extensions/src", "packages/sdk/src/portable"].flatMap(filesBelow);
  all.push(join(repository, "packages/sdk/src/native/constants.ts"));
  const isCommon = (file) => !/\.test\.ts$|\/testing\/|\/extensions\/src\/index\.ts$/.test(file);
  return all.filter(isCommon).map((file) => relative(repository, file));
}

function filesBelow(folder) {
  return readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}
