import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Timer } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import type { ModuleAnswer, ModuleRequest, ModuleSource } from "@mixerless/proxy";
import { FetchFault } from "./fetch-fault.ts";
import { type FetchedModule, sha256 } from "./fetch-image.ts";
import { fetchModule } from "./fetch-module.ts";
import { parseImage } from "./image-reference.ts";
import { ModuleFolder } from "./module-folder.ts";
import { type ModuleEntry, ModuleIndex } from "./module-index.ts";
import { ModuleSeries } from "./module-series.ts";
import type { ModuleSettings } from "./module-settings.ts";

export interface ModuleCacheOptions {
  readonly clock: Clock;
  readonly settings: ModuleSettings;
  /** Where modules are kept. */
  readonly folder: string;
  /** They go with the cache. */
  readonly temporary?: boolean;
  readonly metrics: MetricStore;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Milliseconds before the second attempt. */
const FIRST_PAUSE = 500;

/**
 * The modules of an agent [control-plane §3.3]: fetched over HTTP or from an image registry, kept on disk. Whoever asks
 * for the same at the same time waits for one fetch.
 */
export class ModuleCache implements ModuleSource {
  readonly #options: ModuleCacheOptions;
  readonly #folder: ModuleFolder;
  readonly #series: ModuleSeries;
  /** By address and checksum, and by address alone: the newest of it. */
  readonly #index: ModuleIndex;
  readonly #fetching = new Map<string, Promise<ModuleAnswer>>();
  readonly #purge: Timer;

  constructor(options: ModuleCacheOptions) {
    const { clock, settings, folder, metrics } = options;
    this.#options = options;
    this.#folder = new ModuleFolder(folder, clock);
    this.#index = new ModuleIndex(join(folder, "index.json"));
    this.#series = new ModuleSeries(metrics);
    this.#purge = clock.every(settings.purgeInterval, () => void this.#clean());
  }

  async get(request: ModuleRequest): Promise<ModuleAnswer> {
    try {
      await this.#index.loaded();
      const wanted = wantedChecksum(request);
      const known = this.#find(request, wanted);
      const bytes = known === null ? null : await this.#folder.read(known.digest);
      this.#series.lookedUp(bytes !== null);
      if (known !== null && bytes !== null)
        return { bytes: new Uint8Array(bytes), digest: known.digest, origin: "cache" };
      // Without a login nobody gets what another login fetches.
      const key = JSON.stringify([request.url, wanted, request.version, sha256(Buffer.from(request.pullSecret))]);
      const others = this.#fetching.get(key);
      if (others !== undefined) return { ...(await others), origin: "other-fetch" };
      const own = this.#fetch(request, wanted).finally(() => this.#fetching.delete(key));
      this.#fetching.set(key, own);
      return { ...(await own), origin: "fetch" };
    } catch (error) {
      return faultOf(error);
    }
  }

  get size(): number {
    return this.#index.size;
  }

  close(): void {
    this.#purge.cancel();
    if (this.#options.temporary === true) rmSync(this.#options.folder, { recursive: true, force: true });
  }

  /** A checksum says what is meant, whatever the policy; a tag may have moved [control-plane §3.3]. */
  #find(request: ModuleRequest, wanted: string): ModuleEntry | null {
    if (wanted !== "") return this.#index.get(`${untagged(request.url)} ${wanted}`);
    const entry = this.#index.get(request.url);
    if (entry === null) return null;
    return pullsAlways(request) && entry.version !== request.version ? null : entry;
  }

  async #fetch(request: ModuleRequest, wanted: string): Promise<ModuleAnswer> {
    try {
      const { checksum, bytes } = await this.#attempt(request);
      if (wanted !== "" && checksum !== wanted) {
        this.#series.fetched("checksum_mismatched");
        const message = `${shown(request.url)} has the checksum ${checksum}, not ${wanted}; correct sha256, or what is served there`;
        return { fault: message, transient: false };
      }
      const digest = sha256(bytes);
      await this.#folder.write(digest, bytes).catch((error: unknown) => {
        throw new FetchFault(
          `the module can't be kept on disk: ${error instanceof Error ? error.message : error}`,
          true,
        );
      });
      const entry = { digest, checksum, version: request.version };
      await this.#index.set([request.url, `${untagged(request.url)} ${checksum}`], entry);
      this.#series.entries(this.#index.size);
      this.#series.fetched("success");
      await this.#clean();
      return { bytes: new Uint8Array(bytes), digest };
    } catch (error) {
      this.#series.fetched("fetch_failure");
      return faultOf(error);
    }
  }

  async #attempt(request: ModuleRequest): Promise<FetchedModule> {
    const { clock, settings, random } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await fetchModule(request, settings, clock);
      } catch (error) {
        if (!(error instanceof FetchFault) || !error.transient || attempt >= settings.attempts) throw error;
      }
      const pause = FIRST_PAUSE * 2 ** (attempt - 1) * (0.5 + random());
      await new Promise<void>((wake) => clock.after(pause, wake));
    }
  }

  async #clean(): Promise<void> {
    const { expiry, folderBytes } = this.#options.settings;
    await this.#index.forget(new Set(await this.#folder.purge(expiry, folderBytes)));
    this.#series.entries(this.#index.size);
  }
}

function faultOf(error: unknown): ModuleAnswer {
  if (error instanceof FetchFault) return { fault: error.message, transient: error.transient };
  return { fault: error instanceof Error ? error.message : String(error), transient: true };
}

function isImage(url: string): boolean {
  return !/^https?:\/\//.test(url);
}

/** Empty: none was given. */
function wantedChecksum({ url, sha256: given }: ModuleRequest): string {
  if (given !== "" || !isImage(url)) return given;
  return parseImage(url).digest.slice("sha256:".length);
}

function untagged(url: string): string {
  if (!isImage(url)) return url;
  const { registry, repository } = parseImage(url);
  return `oci://${registry}/${repository}`;
}

function pullsAlways({ url, policy }: ModuleRequest): boolean {
  if (policy !== "") return policy === "Always";
  return isImage(url) && parseImage(url).tag === "latest";
}

/** Without user and password. */
function shown(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}
