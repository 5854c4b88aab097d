import type { Clock } from "@mixerless/clock";
import type { XdsServer } from "@mixerless/xds";
import type { ObjectKey } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { ConfigChange, ConfigStore } from "../config/config-store.ts";
import { createPushContext, type PushContextOptions } from "../model/create-push-context.ts";
import { pushScope } from "./affected-types.ts";
import type { PilotSource } from "./pilot-source.ts";

/** Told how pushes go, for metrics. */
export interface PushObserver {
  /** An object changed. */
  onChange(kind: string): void;
  /** A push begins, so many milliseconds after the first change that it brings. */
  onPush(waited: number, kinds: ReadonlySet<string>): void;
  /** The new revision is indexed. */
  onContext(milliseconds: number): void;
}

/** From changes of objects to what each proxy is told anew [control-plane §5.7]. */
export class Pusher {
  readonly #store: ConfigStore;
  readonly #source: PilotSource;
  readonly #clock: Clock;
  readonly #observer: PushObserver;
  readonly #pending = new Set<ObjectKey>();
  readonly #options: () => PushContextOptions;
  #since = 0;
  /** What the source answers from. */
  #pushed: ConfigSnapshot;

  /** `source` answers from what `store` holds now. `options` is asked for each revision. */
  constructor(
    store: ConfigStore,
    source: PilotSource,
    clock: Clock,
    observer: PushObserver,
    options: () => PushContextOptions = () => ({}),
  ) {
    this.#store = store;
    this.#source = source;
    this.#clock = clock;
    this.#observer = observer;
    this.#options = options;
    this.#pushed = store.snapshot();
  }

  note({ changed }: Pick<ConfigChange, "changed">): void {
    if (this.#pending.size === 0) this.#since = this.#clock.monotonic();
    for (const key of changed) {
      this.#pending.add(key);
      this.#observer.onChange(kindOf(key));
    }
  }

  /** Objects that mean something else now, though they did not change. */
  touch(keys: Iterable<ObjectKey>): void {
    this.note({ changed: new Set(keys) });
  }

  /** Takes over all changes since the last push and tells every proxy what they may concern. */
  push(xds: XdsServer): void {
    const snapshot = this.#store.snapshot();
    const start = this.#clock.monotonic();
    this.#source.update(createPushContext(snapshot, this.#options()));
    this.#observer.onContext(this.#clock.monotonic() - start);
    const changed = new Set(this.#pending);
    this.#pending.clear();
    const scope = pushScope(this.#pushed, snapshot, changed, this.#source.mutualTls);
    this.#pushed = snapshot;
    if (changed.size === 0) return;
    this.#observer.onPush(start - this.#since, new Set([...changed].map(kindOf)));
    const version = xds.nextVersion();
    for (const connection of xds.connections()) {
      const proxy = this.#source.proxies.get(connection.connectionId);
      const types = proxy === undefined ? scope.everywhere : scope.forProxy(proxy);
      if (types.size > 0) connection.push(types, version);
    }
  }
}

function kindOf(key: ObjectKey): string {
  return key.slice(0, key.indexOf("/"));
}
