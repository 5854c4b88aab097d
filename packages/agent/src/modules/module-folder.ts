import { chmod, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@mixerless/clock";
import { sha256 } from "./fetch-image.ts";

const PATTERN = /^([0-9a-f]{64})\.wasm$/;

/**
 * Modules on disk by the SHA-256 of their bytes, for nobody but this user. What is read is checked against its name.
 */
export class ModuleFolder {
  readonly #folder: string;
  readonly #clock: Clock;
  #made: Promise<unknown> | null = null;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Null: it is not there, or it is not what it was. */
  async read(digest: string): Promise<Buffer | null> {
    const path = this.#path(digest);
    const bytes = await readFile(path).catch(() => null);
    if (bytes === null) return null;
    if (sha256(bytes) !== digest) {
      await rm(path, { force: true });
      return null;
    }
    const now = this.#clock.now() / 1000;
    await utimes(path, now, now).catch(() => {});
    return bytes;
  }

  /** Replaces nothing by half: the file appears when it is whole. */
  async write(digest: string, bytes: Uint8Array): Promise<void> {
    await this.#make();
    const path = this.#path(digest);
    const draft = `${path}.${process.pid}.tmp`;
    await writeFile(draft, bytes, { mode: 0o600 });
    await rename(draft, path);
    const now = this.#clock.now() / 1000;
    await utimes(path, now, now);
  }

  /** Removes what was not used for `expiry` milliseconds, then the least recently used until `limit` bytes are left. */
  async purge(expiry: number, limit: number): Promise<readonly string[]> {
    const found: { digest: string; used: number; size: number }[] = [];
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const digest = PATTERN.exec(name)?.[1];
      const facts = digest === undefined ? null : await stat(join(this.#folder, name)).catch(() => null);
      if (digest !== undefined && facts !== null) found.push({ digest, used: facts.mtimeMs, size: facts.size });
    }
    found.sort((a, b) => b.used - a.used);
    const removed: string[] = [];
    let bytes = 0;
    for (const { digest, used, size } of found) {
      bytes += size;
      if (this.#clock.now() - used <= expiry && bytes <= limit) continue;
      bytes -= size;
      await rm(this.#path(digest), { force: true });
      removed.push(digest);
    }
    return removed;
  }

  async #make(): Promise<void> {
    this.#made ??= mkdir(this.#folder, { recursive: true, mode: 0o700 }).then(() => chmod(this.#folder, 0o700));
    await this.#made;
  }

  #path(digest: string): string {
    return join(this.#folder, `${digest}.wasm`);
  }
}
