// Configuration from files: read, watched, and read again when something moves.
import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock, Timer } from "@mixerless/clock";
import type { ConfigStore, SourceChange } from "./config-store.ts";
import type { Fault } from "./fault.ts";
import { scanTree, type Tree, type TreeFile } from "./file-tree.ts";
import { type FileReading, readConfig } from "./read-config.ts";

export interface FileSourceOptions {
  /** Directories and single files, in order of precedence. */
  readonly paths: readonly string[];
  readonly store: ConfigStore;
  readonly clock: Clock;
  /** Whether to watch; without it only {@link FileSource.rescan} reads again. Default true. */
  readonly watch?: boolean;
  /** Bytes of one file. Default 4 MiB. */
  readonly maxFileSize?: number;
  /** Default 10 000. */
  readonly maxFiles?: number;
}

interface KnownFile {
  readonly fingerprint: string;
  readonly hash: string;
}

const MAX_FILE_SIZE = 4 * 1024 * 1024;
const MAX_FILES = 10_000;
const MAX_DIRECTORIES = 1_000;
const MAX_DEPTH = 32;
/** Milliseconds without an event before reading: editors write, rename and touch in a row. */
const QUIET_TIME = 50;
/** Milliseconds that a file which held something must stay empty to count as emptied: a busy writer may stall. */
const EMPTY_TIME = 500;
/** Milliseconds between looks that need no event: network mounts and containers lose some. */
const POLL_INTERVAL = 1_000;

/** Keeps a store in step with files. */
export class FileSource {
  readonly #options: FileSourceOptions;
  readonly #limits: { readonly files: number; readonly directories: number; readonly depth: number };
  #known = new Map<string, KnownFile>();
  /** Since when files are empty that held something; `Clock.monotonic()`. */
  readonly #emptySince = new Map<string, number>();
  /** Configured paths that are reported as unreadable now. */
  #reported = new Set<string>();
  #watchers = new Map<string, FSWatcher>();
  #debounce: Timer | undefined;
  #poll: Timer | undefined;
  #running: Promise<void> | undefined;
  #again: "no" | "quick" | "thorough" = "no";
  #closed = false;

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#limits = { files: options.maxFiles ?? MAX_FILES, directories: MAX_DIRECTORIES, depth: MAX_DEPTH };
  }

  /** Reads everything once, then begins to watch. */
  async start(): Promise<void> {
    await this.rescan();
    if (this.#closed || this.#options.watch === false) return;
    this.#poll = this.#options.clock.every(POLL_INTERVAL, () => void this.#request("quick"));
  }

  /** Reads every file again and applies what differs. Resolves when the store has it. */
  rescan(): Promise<void> {
    return this.#request("thorough");
  }

  /** Resolves when no reading is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Stops watching. The store keeps what it has. */
  close(): void {
    this.#closed = true;
    this.#poll?.cancel();
    this.#debounce?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Readings never overlap: a request during one is served by another one after it. */
  #request(manner: "quick" | "thorough"): Promise<void> {
    if (this.#again !== "thorough") this.#again = manner;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again !== "no" && !this.#closed) {
      const thorough = this.#again === "thorough";
      this.#again = "no";
      await this.#scan(thorough);
    }
  }

  async #scan(thorough: boolean): Promise<void> {
    const tree = await scanTree(this.#options.paths, this.#limits);
    const changes = [...(await this.#readFiles(tree, thorough)), ...this.#dropFiles(tree), ...this.#reportPaths(tree)];
    if (this.#closed) return;
    if (changes.length > 0) this.#options.store.apply(changes);
    if (this.#options.watch !== false) this.#watch(tree);
  }

  async #readFiles(tree: Tree, thorough: boolean): Promise<SourceChange[]> {
    const changes: SourceChange[] = [];
    for (const file of tree.files) {
      const known = this.#known.get(file.path);
      if (!thorough && known?.fingerprint === file.fingerprint) continue;
      const { reading, hash, empty } = await this.#read(file, known?.hash);
      if (known !== undefined && reading !== undefined && empty && this.#mayBeWritten(file.path)) continue;
      this.#emptySince.delete(file.path);
      this.#known.set(file.path, { fingerprint: file.fingerprint, hash });
      if (reading !== undefined) changes.push({ reading });
    }
    return changes;
  }

  /**
   * Who writes a file in place truncates it first: a look in between must not take away all that it held. It is looked
   * at again after a while, and only what is empty then too is meant to be.
   */
  #mayBeWritten(path: string): boolean {
    const now = this.#options.clock.monotonic();
    const since = this.#emptySince.get(path) ?? now;
    this.#emptySince.set(path, since);
    if (now - since >= EMPTY_TIME) return false;
    this.#changed();
    return true;
  }

  /** No reading when the content is that of the hash already known. */
  async #read(
    file: TreeFile,
    knownHash: string | undefined,
  ): Promise<{ reading?: FileReading; hash: string; empty?: boolean }> {
    const limit = this.#options.maxFileSize ?? MAX_FILE_SIZE;
    if (file.size > limit) {
      const message = `The file has ${file.size} bytes; at most ${limit} are read.`;
      return { reading: unreadable(file.path, "file-too-large", message, "Split it."), hash: "" };
    }
    try {
      const content = await readFile(file.path);
      const hash = createHash("sha256").update(content).digest("base64");
      if (hash === knownHash) return { hash };
      const reading = readConfig({ file: file.path, text: content.toString("utf8"), root: file.root });
      return { reading, hash, empty: content.length === 0 };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const cure = "Make it readable for this process.";
      return {
        reading: unreadable(file.path, "file-unreadable", `The file can't be read: ${reason}.`, cure),
        hash: "",
      };
    }
  }

  /** Files that are gone. Below a directory that can't be read nothing counts as gone. */
  #dropFiles(tree: Tree): SourceChange[] {
    if (tree.truncated) return [];
    const present = new Set(tree.files.map((file) => file.path));
    const hidden = (path: string) => tree.unreadable.some((entry) => path === entry.path || isBelow(path, entry.path));
    const changes: SourceChange[] = [];
    for (const path of [...this.#known.keys()]) {
      if (present.has(path) || hidden(path)) continue;
      this.#known.delete(path);
      this.#emptySince.delete(path);
      changes.push({ removed: path });
    }
    return changes;
  }

  /** Paths that can't be looked into, and limits that were reached, as faults of their own. */
  #reportPaths(tree: Tree): SourceChange[] {
    const faults = new Map<string, Fault>();
    for (const { path, reason } of tree.unreadable) {
      const message = `The path can't be read: ${reason}. What was loaded from it before stays.`;
      faults.set(path, pathFault(path, "path-unreadable", message, "Check the path and its permissions."));
    }
    if (tree.truncated) {
      const message = `There are more than ${this.#limits.files} files or ${this.#limits.directories} directories; the rest is not read.`;
      faults.set(
        "(limits)",
        pathFault(this.#options.paths.join(", "), "too-many-files", message, "Name narrower paths."),
      );
    }
    const changes: SourceChange[] = [];
    for (const path of this.#reported) if (!faults.has(path)) changes.push({ removed: pathKey(path) });
    for (const [path, fault] of faults) {
      changes.push({ reading: { file: pathKey(path), objects: [], refused: [], incomplete: false, faults: [fault] } });
    }
    this.#reported = new Set(faults.keys());
    return changes;
  }

  #watch(tree: Tree): void {
    const wanted = new Set(tree.directories);
    for (const file of tree.files) wanted.add(dirname(file.path));
    for (const [path, watcher] of this.#watchers) {
      if (wanted.has(path)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
    for (const path of wanted) if (!this.#watchers.has(path)) this.#watchDirectory(path);
  }

  #watchDirectory(path: string): void {
    try {
      const watcher = watch(path, { persistent: false }, () => this.#changed());
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(path);
      });
      this.#watchers.set(path, watcher);
    } catch {
      // No watch left or none supported: polling finds the change a little later.
    }
  }

  #changed(): void {
    this.#debounce?.cancel();
    if (this.#closed) return;
    this.#debounce = this.#options.clock.after(QUIET_TIME, () => void this.#request("thorough"));
  }
}

/** A path may be configured directory and file name at once, so its faults have a key that no file has. */
function pathKey(path: string): string {
  return `${path}\0`;
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(directory.endsWith("/") ? directory : `${directory}/`);
}

function pathFault(path: string, code: string, message: string, cure: string): Fault {
  return { code, severity: "error", object: "", path: "", file: path, line: 0, column: 0, message, cure };
}

function unreadable(path: string, code: string, message: string, cure: string): FileReading {
  const text = `${message} Objects that it held before stay.`;
  return { file: path, objects: [], refused: [], incomplete: true, faults: [pathFault(path, code, text, cure)] };
}
