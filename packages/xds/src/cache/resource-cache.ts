import type { Clock, Timer } from "@mixerless/clock";
import type { ResourceUpdate, SubscriptionView, UpdateHandler } from "../client/client-protocol.ts";
import { readCacheFile, removeCacheFile, writeCacheFile } from "./cache-file.ts";
import { type CacheContent, type CachedResource, decodeCache, encodeCache } from "./cache-format.ts";
import { holdsSecret } from "./holds-secret.ts";

export interface CacheOptions {
  readonly file: string;
  /** Milliseconds that a start waits for the control plane before the cache serves; 1000 if left out. */
  readonly patience?: number;
  /** Milliseconds of quiet after a change before the file is written; 1000 if left out. */
  readonly delay?: number;
  /** Largest file written or read, in bytes; 64 MiB if left out. */
  readonly maxBytes?: number;
  /** The cache could not be used or written; never with a resource's content. */
  readonly onFault?: (message: string) => void;
  /** The control plane is silent and the resources saved at that time, milliseconds since the epoch, serve instead. */
  readonly onUse?: (savedAt: number) => void;
}

const DEFAULT_PATIENCE = 1000;
const DEFAULT_DELAY = 1000;
const DEFAULT_BYTES = 64 * 1024 * 1024;
/** Changes without a pause put the write off for so many delays at most. */
const MAX_DELAYS = 10;

type Types = Map<string, Map<string, CachedResource>>;
type Subscriptions = ReadonlyMap<string, SubscriptionView>;

/** The last good resources, in memory for writing and on disk for the next start [decision 9]. */
export class ResourceCache {
  readonly patience: number;
  readonly #options: CacheOptions;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #current: Types = new Map();
  /** From the file and not handed over yet. */
  #loaded: Types = new Map();
  #savedAt = 0;
  #used = false;
  #loading: Promise<void> = Promise.resolve();
  #subscriptions: Subscriptions = new Map();
  #timer: Timer | null = null;
  #dirtySince: number | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CacheOptions, clock: Clock, node: string) {
    this.#options = options;
    this.#clock = clock;
    this.#node = node;
    this.patience = options.patience ?? DEFAULT_PATIENCE;
  }

  /** Keeps what `handler` accepts. */
  recording(handler: UpdateHandler): UpdateHandler {
    return (update) => {
      const faults = handler(update);
      const refused = new Set(faults.map((fault) => fault.name));
      const resources = this.#current.get(update.typeUrl) ?? new Map<string, CachedResource>();
      this.#current.set(update.typeUrl, resources);
      for (const { name, version, any } of update.resources) {
        if (refused.has(name)) continue;
        // A secret replaces what was kept under its name, too.
        if (holdsSecret(any)) resources.delete(name);
        else resources.set(name, { version, any });
      }
      for (const name of update.removed) resources.delete(name);
      return faults;
    };
  }

  /** Begins to read the file. */
  load(): void {
    this.#loading = this.#read();
  }

  /** Calls back when the file is read, or has turned out to be unusable. */
  whenLoaded(callback: () => void): void {
    this.#loading.then(callback);
  }

  /** What the file has of a type and `wanted` accepts, as an update; handed out once. */
  take(typeUrl: string, wanted: (name: string) => boolean): ResourceUpdate | null {
    const loaded = this.#loaded.get(typeUrl);
    const resources = Array.from(loaded ?? [], ([name, resource]) => ({ name, ...resource })).filter(({ name }) =>
      wanted(name),
    );
    if (loaded === undefined || resources.length === 0) return null;
    for (const { name } of resources) loaded.delete(name);
    if (!this.#used) this.#options.onUse?.(this.#savedAt);
    this.#used = true;
    return { typeUrl, systemVersion: "cache", resources, removed: [] };
  }

  /** Says that something was received; the file follows once it is quiet. */
  changed(subscriptions: Subscriptions): void {
    this.#subscriptions = subscriptions;
    const { delay = DEFAULT_DELAY } = this.#options;
    const now = this.#clock.monotonic();
    this.#dirtySince ??= now;
    this.#timer?.cancel();
    const latest = this.#dirtySince + delay * MAX_DELAYS;
    this.#timer = this.#clock.after(Math.max(0, Math.min(delay, latest - now)), () => this.#flush());
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    if (this.#dirtySince !== null) this.#flush();
    await this.#writing;
  }

  async #read(): Promise<void> {
    const { file, maxBytes = DEFAULT_BYTES } = this.#options;
    try {
      const bytes = await readCacheFile(file, maxBytes);
      if (bytes === null) return;
      const content = decodeCache(bytes, this.#node);
      if ("fault" in content) this.#fault(`The cache ${file} is not used: ${content.fault}.`);
      else this.#keep(content);
    } catch (error) {
      this.#fault(`The cache ${file} is not used: ${messageOf(error)}.`);
    }
  }

  #keep({ savedAt, types }: CacheContent): void {
    this.#savedAt = savedAt;
    this.#loaded = new Map(Array.from(types, ([typeUrl, resources]) => [typeUrl, new Map(resources)]));
  }

  #flush(): void {
    this.#timer = null;
    this.#dirtySince = null;
    this.#writing = this.#writing.then(() => this.#write());
  }

  async #write(): Promise<void> {
    const { file, maxBytes = DEFAULT_BYTES } = this.#options;
    await this.#loading;
    const bytes = encodeCache({ node: this.#node, savedAt: this.#clock.now(), types: this.#content() });
    try {
      if (bytes.length <= maxBytes) {
        await writeCacheFile(file, bytes);
        return;
      }
      // An old configuration must not come back as the last good one.
      await removeCacheFile(file);
      this.#fault(`The cache ${file} is not written: ${bytes.length} bytes are more than the ${maxBytes} allowed.`);
    } catch (error) {
      this.#fault(`The cache ${file} could not be written: ${messageOf(error)}.`);
    }
  }

  /** What the client holds by now, and of types that it has not got to yet what the last run held. */
  #content(): Types {
    const content: Types = new Map();
    for (const [typeUrl, resources] of this.#loaded) {
      if (!this.#current.has(typeUrl) && resources.size > 0) content.set(typeUrl, resources);
    }
    for (const [typeUrl, { known }] of this.#subscriptions) {
      const resources = this.#current.get(typeUrl);
      if (resources === undefined) continue;
      for (const name of resources.keys()) if (!known.has(name)) resources.delete(name);
      if (resources.size > 0) content.set(typeUrl, resources);
    }
    return content;
  }

  #fault(message: string): void {
    this.#options.onFault?.(message);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
