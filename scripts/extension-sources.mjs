import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("..", import.meta.url));

/** The extensions that are built to Wasm, and the file of each that exports `createRoot`. */
export const extensions = [
  { name: "access_log_policy", entry: "packages/extensions/src/access-log-policy/filter.ts" },
  { name: "metadata_exchange", entry: "packages/extensions/src/metadata-exchange/filter.ts" },
  { name: "stats", entry: "packages/extensions/src/stats/filter.ts" },
];

/** Every file that the modules are made of, relative to the repository. */
export function commonSources() {
  const all = ["packages/extensions/src", "packages/sdk/src/portable", "packages/sdk/wasm"].flatMap(filesBelow);
  all.push(
    ...["src/native/constants.ts", "index.ts", "exports.ts"].map((file) => join(repository, "packages/sdk", file)),
  );
  const isCommon = (file) => !/\.test\.ts$|\/testing\/|\/extensions\/src\/index\.ts$/.test(slashed(file));
  return all.filter(isCommon).map((file) => slashed(relative(repository, file)));
}

function filesBelow(folder) {
  return readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}

function slashed(path) {
  return path.replaceAll("\\", "/");
}
