import type { BigIntStats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { compareText } from "./config-object.ts";

export interface TreeFile {
  /** The configured path with what is below it, as shown to people. */
  readonly path: string;
  /** Rank of the configured path. */
  readonly root: number;
  readonly size: number;
  /** Changes whenever the file was written or replaced. */
  readonly fingerprint: string;
}

export interface Tree {
  readonly files: readonly TreeFile[];
  /** Directories to watch. */
  readonly directories: readonly string[];
  /** Paths that could not be looked into, with the reason; what was below them is unknown. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
  /** The limits cut something off. */
  readonly truncated: boolean;
}

export interface TreeLimits {
  readonly files: number;
  readonly directories: number;
  readonly depth: number;
}

const EXTENSION = /\.(ya?ml|json)$/i;

/**
 * Finds the configuration files below some paths. Names that begin with a dot are skipped; links are followed,
 * each target once. That reads a mounted ConfigMap (`x.yaml → ..data/x.yaml → …`) as the files that it shows.
 */
export async function scanTree(paths: readonly string[], limits: TreeLimits): Promise<Tree> {
  const walk = new TreeWalk(limits);
  for (const [root, path] of paths.entries()) await walk.visit(path, root, 0);
  return walk;
}

class TreeWalk implements Tree {
  readonly files: TreeFile[] = [];
  readonly directories: string[] = [];
  readonly unreadable: { path: string; reason: string }[] = [];
  truncated = false;
  readonly #limits: TreeLimits;
  readonly #seen = new Set<string>();

  constructor(limits: TreeLimits) {
    this.#limits = limits;
  }

  async visit(path: string, root: number, depth: number): Promise<void> {
    try {
      const stats = await stat(path, { bigint: true });
      const identity = `${stats.dev}:${stats.ino}`;
      if (this.#seen.has(identity)) return;
      this.#seen.add(identity);
      if (stats.isDirectory()) await this.#enter(path, root, depth);
      // A path that was named itself may have any extension.
      else if (stats.isFile() && (depth === 0 || EXTENSION.test(path))) this.#add(path, root, stats);
    } catch (error) {
      // A file that vanished between listing and looking is simply gone.
      if (depth > 0 && isMissing(error)) return;
      this.unreadable.push({ path, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  async #enter(path: string, root: number, depth: number): Promise<void> {
    if (depth > this.#limits.depth || this.directories.length >= this.#limits.directories) {
      this.truncated = true;
      return;
    }
    this.directories.push(path);
    const names = (await readdir(path)).filter((name) => !name.startsWith("."));
    for (const name of names.sort(compareText)) await this.visit(join(path, name), root, depth + 1);
  }

  #add(path: string, root: number, stats: BigIntStats): void {
    if (this.files.length >= this.#limits.files) {
      this.truncated = true;
      return;
    }
    const fingerprint = `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
    this.files.push({ path, root, size: Number(stats.size), fingerprint });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
