import { byAge, type ConfigObject, type Kind, type ObjectKey } from "./config-object.ts";

/** The valid objects at one moment. Immutable. */
export interface ConfigSnapshot {
  /** Grows by one with every change of an object. */
  readonly revision: number;
  get(key: ObjectKey): ConfigObject | undefined;
  /** Every object of a kind, oldest first (see {@link byAge}). */
  list<K extends Kind>(kind: K): readonly ConfigObject<K>[];
  readonly size: number;
}

const NOTHING: readonly never[] = Object.freeze([]);

export function createSnapshot(revision: number, objects: ReadonlyMap<ObjectKey, ConfigObject>): ConfigSnapshot {
  const byKind = new Map<Kind, ConfigObject[]>();
  for (const object of objects.values()) {
    const list = byKind.get(object.kind);
    if (list === undefined) byKind.set(object.kind, [object]);
    else list.push(object);
  }
  for (const list of byKind.values()) Object.freeze(list.sort(byAge));
  return Object.freeze<ConfigSnapshot>({
    revision,
    size: objects.size,
    get: (key) => objects.get(key),
    // Each list was filled by kind.
    list: <K extends Kind>(kind: K) => (byKind.get(kind) ?? NOTHING) as readonly ConfigObject<K>[],
  });
}
