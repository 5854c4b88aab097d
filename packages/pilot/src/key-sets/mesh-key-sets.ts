import type { Clock } from "@mixerless/clock";
import { keyOf, type ObjectKey } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { RemoteKeys } from "../model/push-context.ts";
import type { FetchText } from "./fetch-text.ts";
import { type KeySetSource, keySetSource } from "./key-set-source.ts";
import { KeySets } from "./key-sets.ts";

/** How long a push may wait for keys that were never fetched before; then tokens are refused until they come. */
const PATIENCE = 6000;

export interface MeshKeySetsOptions {
  readonly clock: Clock;
  readonly fetch: FetchText;
  readonly remoteKeys: RemoteKeys;
  /** These objects mean something else now. */
  readonly onChange: (keys: ReadonlySet<ObjectKey>) => void;
  readonly onFetch: (ok: boolean) => void;
}

/** The key sets that the RequestAuthentications of the configuration ask for. */
export class MeshKeySets {
  readonly #options: MeshKeySetsOptions;
  readonly #keySets: KeySets;
  /** By URL. */
  #users: ReadonlyMap<string, ReadonlySet<ObjectKey>> = new Map();

  constructor(options: MeshKeySetsOptions) {
    this.#options = options;
    this.#keySets = new KeySets(options.clock, options.fetch, {
      onChange: (url) => options.onChange(this.#users.get(url) ?? new Set()),
      onFetch: options.onFetch,
    });
  }

  /** What a revision is made with. */
  get pushOptions(): { readonly remoteKeys: RemoteKeys; readonly keySets: ReadonlyMap<string, string> } {
    return { remoteKeys: this.#options.remoteKeys, keySets: this.#keySets.texts() };
  }

  /** Takes over what a revision asks for; then calls back: at once, or when keys that are new have been tried. */
  prepare(snapshot: ConfigSnapshot, ready: () => void): void {
    const { sources, users } = this.#needed(snapshot);
    this.#users = users;
    const tried = this.#keySets.want(sources);
    if (tried === null) {
      ready();
      return;
    }
    let over = false;
    const once = () => {
      if (over) return;
      over = true;
      timer.cancel();
      ready();
    };
    const timer = this.#options.clock.after(PATIENCE, once);
    void tried.then(once);
  }

  problem(url: string): string | null {
    return this.#keySets.problem(url);
  }

  close(): void {
    this.#keySets.close();
  }

  #needed(snapshot: ConfigSnapshot): { sources: KeySetSource[]; users: Map<string, Set<ObjectKey>> } {
    const sources: KeySetSource[] = [];
    const users = new Map<string, Set<ObjectKey>>();
    for (const config of snapshot.list("RequestAuthentication")) {
      for (const rule of config.spec.jwtRules) {
        const source = keySetSource(rule);
        // Data planes cannot discover anything, and fetch the rest themselves.
        if (source === null || (this.#options.remoteKeys === "envoy" && !source.discovery)) continue;
        sources.push(source);
        const objects = users.get(source.url) ?? new Set();
        users.set(source.url, objects.add(keyOf(config)));
      }
    }
    return { sources, users };
  }
}
