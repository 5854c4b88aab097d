import { readFile, rename, writeFile } from "node:fs/promises";

/** What is known of a module that was fetched. */
export interface ModuleEntry {
  /** SHA-256 of the module's own bytes: its name on disk. */
  readonly digest: string;
  /** What the server says it is: an image's manifest, a file as it is served. */
  readonly checksum: string;
  /** The plugin's version for which it was fetched. */
  readonly version: string;
}

const HEX = /^[0-9a-f]{64}$/;
/** Bytes of an index that is still read. */
const LARGEST = 4 * 1024 * 1024;

/** Which module belongs to which address, kept beside the modules, so that a start needs no server. */
export class ModuleIndex {
  readonly #file: string;
  readonly #entries = new Map<string, ModuleEntry>();
  #loading: Promise<void> | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** Resolves when what was kept is known. What can't be read is as good as nothing. */
  loaded(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  get(key: string): ModuleEntry | null {
    return this.#entries.get(key) ?? null;
  }

  /** Different modules. */
  get size(): number {
    return new Set([...this.#entries.values()].map(({ digest }) => digest)).size;
  }

  set(keys: readonly string[], entry: ModuleEntry): Promise<void> {
    for (const key of keys) this.#entries.set(key, entry);
    return this.#save();
  }

  forget(digests: ReadonlySet<string>): Promise<void> {
    if (digests.size === 0) return this.#saving;
    for (const [key, { digest }] of [...this.#entries]) if (digests.has(digest)) this.#entries.delete(key);
    return this.#save();
  }

  async #load(): Promise<void> {
    const text = await readFile(this.#file, "utf8").catch(() => "");
    if (text.length > LARGEST) return;
    for (const [key, entry] of Object.entries(objectOf(text))) {
      const { digest, checksum, version } = (entry ?? {}) as Record<string, unknown>;
      if (typeof digest !== "string" || typeof checksum !== "string" || typeof version !== "string") continue;
      if (HEX.test(digest) && HEX.test(checksum)) this.#entries.set(key, { digest, checksum, version });
    }
  }

  #save(): Promise<void> {
    this.#saving = this.#saving
      .then(async () => {
        // Who logs in by the address itself has that address nowhere on disk.
        const kept = [...this.#entries].filter(([key]) => !key.includes("@") || /@sha256:/.test(key));
        const draft = `${this.#file}.${process.pid}.tmp`;
        await writeFile(draft, JSON.stringify(Object.fromEntries(kept)), { mode: 0o600 });
        await rename(draft, this.#file);
      })
      .catch(() => {});
    return this.#saving;
  }
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
