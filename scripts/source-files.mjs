import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";

/** Folders that hold no source of ours: built or installed. */
const skipped = new Set(["node_modules", "dist", "coverage"]);
const sourceFile = /\.[cm]?[jt]sx?$/;
const declaration = /\.d\.[cm]?ts$/;

/** Every source file below `root`, as sorted paths relative to it with forward slashes. */
export function sourceFiles(root, folder = "") {
  const found = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!skipped.has(entry.name) && !entry.name.startsWith(".")) found.push(...sourceFiles(root, path));
    } else if (entry.isFile() && isSource(entry.name)) {
      found.push(path);
    }
  }
  return found.sort();
}

/**
 * The same list as git has it, ignored files left out and new ones included, so that one view can be held
 * against the other; `undefined` where there is no repository.
 */
export function sourceFilesOfGit(root) {
  if (!existsSync(join(root, ".git"))) return undefined;
  const options = ["-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const paths = execFileSync("git", options, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }).split("\0");
  return [...new Set(paths)].filter((path) => isSource(path) && existsSync(join(root, path))).sort();
}

function isSource(path) {
  return sourceFile.test(path) && !declaration.test(path);
}

/** Whether a program wrote the file at `path`, so that no rule about writing applies. */
export function isGenerated(path) {
  return path.split("/").includes("generated");
}

/** `path` with the forward slashes of this repository's reports. */
export function slashed(path) {
  return path.split(sep).join("/");
}
