import type { Clock, Timer } from "@mixerless/clock";
import { KeySet } from "@mixerless/identity/jwt";
import type { FetchText } from "./fetch-text.ts";
import type { KeySetSource } from "./key-set-source.ts";

/** How often keys that are in use are looked at again, and how soon those that could not be had [control-plane §6.5]. */
const REFRESH = 20 * 60_000;
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60_000;
/** Of one fetch. */
const TIMEOUT = 5000;

export interface KeySetObserver {
  /** The keys behind a URL are new, or others than before. */
  onChange(url: string): void;
  /** Whether a key set could be had. */
  onFetch(ok: boolean): void;
}

interface Entry {
  readonly source: KeySetSource;
  text: string | undefined;
  /** Why the last try gave nothing. */
  problem: string | null;
  failures: number;
  timer: Timer | null;
  /** Settles with the first try. */
  readonly tried: Promise<void>;
}

/** The key sets that the configuration asks for, fetched and kept fresh. The last good ones outlive failures. */
export class KeySets {
  readonly #clock: Clock;
  readonly #fetch: FetchText;
  readonly #observer: KeySetObserver;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, fetch: FetchText, observer: KeySetObserver) {
    this.#clock = clock;
    this.#fetch = fetch;
    this.#observer = observer;
  }

  /** Makes these the ones to have. Null when every one has been tried; else settles when it has. */
  want(sources: readonly KeySetSource[]): Promise<void> | null {
    const wanted = new Map(sources.map((source) => [source.url, source]));
    for (const [url, { timer }] of this.#entries) {
      if (wanted.has(url)) continue;
      timer?.cancel();
      this.#entries.delete(url);
    }
    const fresh = [...wanted.values()].filter(({ url }) => !this.#entries.has(url)).map((source) => this.#add(source));
    return fresh.length === 0 ? null : Promise.all(fresh).then(() => undefined);
  }

  /** The text of every key set that could be had, by URL. A new map each time. */
  texts(): ReadonlyMap<string, string> {
    return new Map([...this.#entries].flatMap(([url, { text }]) => (text === undefined ? [] : [[url, text] as const])));
  }

  /** Why there are no keys, or none fresher, behind a URL; null when all is well. */
  problem(url: string): string | null {
    return this.#entries.get(url)?.problem ?? null;
  }

  close(): void {
    for (const { timer } of this.#entries.values()) timer?.cancel();
    this.#entries.clear();
  }

  #add(source: KeySetSource): Promise<void> {
    let settle = (): void => {};
    const tried = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const entry: Entry = { source, text: undefined, problem: null, failures: 0, timer: null, tried };
    this.#entries.set(source.url, entry);
    void this.#refresh(entry).then(settle);
    return tried;
  }

  async #refresh(entry: Entry): Promise<void> {
    const before = entry.text;
    try {
      entry.text = await this.#load(entry.source);
      entry.problem = null;
      entry.failures = 0;
      this.#observer.onFetch(true);
    } catch (error) {
      entry.problem = error instanceof Error ? error.message : String(error);
      entry.failures++;
      this.#observer.onFetch(false);
    }
    const { url } = entry.source;
    if (this.#entries.get(url) !== entry) return;
    const retry = Math.min(FIRST_RETRY * 2 ** (entry.failures - 1), LONGEST_RETRY);
    entry.timer = this.#clock.after(entry.failures === 0 ? REFRESH : retry, () => void this.#refresh(entry));
    if (entry.text !== before) this.#observer.onChange(url);
  }

  async #load({ url, discovery }: KeySetSource): Promise<string> {
    const text = await this.#fetch(discovery ? await this.#discover(url) : url, TIMEOUT);
    // Only what every data plane can read is handed on.
    const keys = KeySet.read(text);
    if (typeof keys === "string") throw new Error(`what came is no key set: ${keys}`);
    return text;
  }

  async #discover(url: string): Promise<string> {
    const uri = jwksUri(await this.#fetch(url, TIMEOUT));
    if (uri === null) throw new Error("the discovery document names no jwks_uri");
    return uri;
  }
}

function jwksUri(text: string): string | null {
  try {
    const document = JSON.parse(text) as { jwks_uri?: unknown } | null;
    const uri = document?.jwks_uri;
    return typeof uri === "string" && /^https?:\/\//.test(uri) ? uri : null;
  } catch {
    return null;
  }
}
