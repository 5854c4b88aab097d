import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { slashed } from "./source-files.mjs";

/**
 * The packages that the workspaces of the root manifest name. `row` is the name without the scope,
 * `dependencies` what any section of the manifest asks for, `references` those of tsconfig.json.
 */
export function findPackages(root) {
  const { workspaces } = readJson(join(root, "package.json"));
  const folders = workspaces.flatMap((pattern) => expand(root, pattern));
  return folders.map((folder) => {
    const manifest = readJson(join(root, folder, "package.json"));
    return {
      folder,
      name: manifest.name,
      row: manifest.name.replace(/^@mixerless\//, ""),
      exports: manifest.exports ?? {},
      dependencies: Object.keys({
        ...manifest.dependencies,
        ...manifest.devDependencies,
        ...manifest.peerDependencies,
        ...manifest.optionalDependencies,
      }),
      references: referencesOf(join(root, folder, "tsconfig.json")),
    };
  });
}

/** Whether the manifest of a package opens the door `subpath` ("." or "./name"). */
export function isExported({ exports }, subpath) {
  if (typeof exports === "string") return subpath === ".";
  return Object.keys(exports).some((key) => {
    const [before, after] = key.split("*");
    if (after === undefined) return key === subpath;
    return subpath.length > before.length + after.length && subpath.startsWith(before) && subpath.endsWith(after);
  });
}

/** The folders of a pattern that ends in `/*` and hold a manifest; npm allows more, this repository needs no more. */
function expand(root, pattern) {
  if (!/^[\w-]+\/\*$/.test(pattern)) throw new Error(`The workspace pattern "${pattern}" is not of the form folder/*.`);
  const parent = pattern.slice(0, -2);
  const entries = existsSync(join(root, parent)) ? readdirSync(join(root, parent)) : [];
  return entries
    .map((entry) => slashed(join(parent, entry)))
    .filter((folder) => existsSync(join(root, folder, "package.json")));
}

function referencesOf(path) {
  if (!existsSync(path)) return [];
  const { config, error } = ts.readConfigFile(path, ts.sys.readFile);
  if (error) throw new Error(`${path} can't be parsed: ${ts.flattenDiagnosticMessageText(error.messageText, " ")}`);
  return (config.references ?? []).map((reference) => reference.path);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
