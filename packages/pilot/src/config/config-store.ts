// The store of the control plane: what every file says now, or said last when it made sense.
import { isDeepStrictEqual } from "node:util";
import { type ConfigObject, compareText, keyOf, type ObjectKey } from "./config-object.ts";
import { type ConfigSnapshot, createSnapshot } from "./config-snapshot.ts";
import type { Fault } from "./fault.ts";
import { type FileReading, objectLabel } from "./read-config.ts";

/** What became of one file. */
export type SourceChange = { readonly reading: FileReading } | { readonly removed: string };

export interface ConfigChange {
  /** Revision of the snapshot that holds the change. */
  readonly revision: number;
  /** Keys of objects that were added, changed, moved in order, or removed. May be empty. */
  readonly changed: ReadonlySet<ObjectKey>;
  readonly faultsChanged: boolean;
}

export type ConfigListener = (change: ConfigChange) => void;

interface FileState {
  /** The last valid version of every object that the file is taken to hold. */
  readonly good: ReadonlyMap<ObjectKey, ConfigObject>;
  readonly refused: ReadonlySet<ObjectKey>;
  readonly faults: readonly Fault[];
}

/**
 * Objects with revisions. A refused object keeps its last good version; a file that can't be read, or that
 * holds something without a name, loses none of its objects. An object that two files define belongs to the
 * one that had it first; the other definition is refused until that one is gone.
 */
export class ConfigStore {
  #files = new Map<string, FileState>();
  /** The files that define an object, valid now or before. */
  #claims = new Map<ObjectKey, Set<string>>();
  #owners = new Map<ObjectKey, string>();
  #objects: ReadonlyMap<ObjectKey, ConfigObject> = new Map();
  #snapshot = createSnapshot(0, new Map());
  #faults: readonly Fault[] = Object.freeze([]);
  #listeners = new Set<ConfigListener>();

  /** Takes in several files at once and tells the subscribers, once, when anything changed. */
  apply(changes: readonly SourceChange[]): ConfigChange {
    const touched = new Set<ObjectKey>();
    for (const change of changes) this.#take(change, touched);
    const objects = new Map(this.#objects);
    const changed = new Set<ObjectKey>();
    for (const key of touched) this.#settle(key, objects, changed);
    return this.#publish(objects, changed);
  }

  snapshot(): ConfigSnapshot {
    return this.#snapshot;
  }

  /** Everything that is wrong or doubtful now, ordered by file and line. */
  faults(): readonly Fault[] {
    return this.#faults;
  }

  /** Calls `listener` after every change, until the returned function is called. */
  subscribe(listener: ConfigListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets the subscribers. */
  close(): void {
    this.#listeners.clear();
  }

  #take(change: SourceChange, touched: Set<ObjectKey>): void {
    const file = "removed" in change ? change.removed : change.reading.file;
    const before = this.#files.get(file);
    const after = "removed" in change ? undefined : readingState(change.reading, before);
    for (const state of [before, after]) {
      for (const key of [...(state?.good.keys() ?? []), ...(state?.refused ?? [])]) touched.add(key);
    }
    for (const key of before?.good.keys() ?? []) this.#claims.get(key)?.delete(file);
    for (const key of after?.good.keys() ?? []) {
      const claims = this.#claims.get(key);
      if (claims === undefined) this.#claims.set(key, new Set([file]));
      else claims.add(file);
    }
    if (after === undefined) this.#files.delete(file);
    else this.#files.set(file, after);
  }

  /** Decides which version of an object holds from now on. */
  #settle(key: ObjectKey, objects: Map<ObjectKey, ConfigObject>, changed: Set<ObjectKey>): void {
    const before = objects.get(key);
    const owner = this.#findOwner(key);
    if (owner !== undefined) this.#owners.set(key, owner);
    else {
      this.#owners.delete(key);
      this.#claims.delete(key);
    }
    let after = owner === undefined ? undefined : this.#files.get(owner)?.good.get(key);
    // A definition that moved to another file and broke on the way is still the last good one.
    if (after === undefined && this.#isRefusedSomewhere(key)) after = before;
    if (after === before) return;
    if (after === undefined) objects.delete(key);
    else objects.set(key, after);
    if (!isDeepStrictEqual(after?.raw, before?.raw)) changed.add(key);
  }

  #findOwner(key: ObjectKey): string | undefined {
    const claims = this.#claims.get(key) ?? new Set<string>();
    const current = this.#owners.get(key);
    if (current !== undefined && claims.has(current)) return current;
    let first: ConfigObject | undefined;
    let owner: string | undefined;
    for (const file of claims) {
      const object = this.#files.get(file)?.good.get(key);
      if (object === undefined || (first !== undefined && !isEarlier(object, first))) continue;
      first = object;
      owner = file;
    }
    return owner;
  }

  #isRefusedSomewhere(key: ObjectKey): boolean {
    for (const { refused } of this.#files.values()) if (refused.has(key)) return true;
    return false;
  }

  #publish(objects: ReadonlyMap<ObjectKey, ConfigObject>, changed: Set<ObjectKey>): ConfigChange {
    this.#replaceSnapshot(objects, changed);
    const { revision } = this.#snapshot;
    const faults = this.#collectFaults();
    const faultsChanged = !isDeepStrictEqual(faults, this.#faults);
    if (faultsChanged) this.#faults = faults;
    const change: ConfigChange = Object.freeze({ revision, changed, faultsChanged });
    if (changed.size > 0 || faultsChanged) for (const listener of [...this.#listeners]) listener(change);
    return change;
  }

  /** Objects that only moved within their file get a new snapshot, for their new lines, but no revision. */
  #replaceSnapshot(objects: ReadonlyMap<ObjectKey, ConfigObject>, changed: Set<ObjectKey>): void {
    const draft = createSnapshot(this.#snapshot.revision + 1, objects);
    for (const key of reordered(this.#snapshot, draft, objects)) changed.add(key);
    this.#snapshot = changed.size > 0 ? draft : createSnapshot(this.#snapshot.revision, objects);
    this.#objects = objects;
  }

  #collectFaults(): readonly Fault[] {
    const faults: Fault[] = [];
    for (const [file, state] of this.#files) {
      faults.push(...state.faults);
      for (const [key, object] of state.good) {
        const owner = this.#owners.get(key);
        const holder = this.#objects.get(key);
        if (owner !== undefined && owner !== file && holder !== undefined) faults.push(duplicateFault(object, holder));
      }
    }
    return Object.freeze(faults.sort((a, b) => compareText(a.file, b.file) || a.line - b.line || a.column - b.column));
  }
}

function readingState(reading: FileReading, before: FileState | undefined): FileState {
  const good = new Map<ObjectKey, ConfigObject>();
  const faults = [...reading.faults];
  for (const object of reading.objects) {
    const key = keyOf(object);
    const first = good.get(key);
    if (first === undefined) good.set(key, object);
    else faults.push(duplicateFault(object, first));
  }
  const refused = new Set(reading.refused);
  for (const [key, object] of before?.good ?? []) {
    if (!good.has(key) && (reading.incomplete || refused.has(key))) good.set(key, object);
  }
  return { good, refused, faults };
}

function duplicateFault(object: ConfigObject, holder: ConfigObject): Fault {
  const { file, line, column } = object.origin;
  const place = `${holder.origin.file}:${holder.origin.line}`;
  return {
    code: "duplicate-object",
    severity: "error",
    object: objectLabel(object.kind, object.namespace, object.name),
    path: "",
    file,
    line,
    column,
    message: `The object is also defined in ${place}, and that definition is the one in use.`,
    cure: `Remove it here or in ${holder.origin.file}, or give one of them another name.`,
  };
}

function isEarlier(a: ConfigObject, b: ConfigObject): boolean {
  return (a.origin.root - b.origin.root || compareText(a.origin.file, b.origin.file)) < 0;
}

/** Objects whose rank among those that stayed is another one now: age decides conflicts. */
function reordered(
  before: ConfigSnapshot,
  after: ConfigSnapshot,
  objects: ReadonlyMap<ObjectKey, ConfigObject>,
): ObjectKey[] {
  const keys: ObjectKey[] = [];
  for (const kind of new Set([...objects.values()].map((object) => object.kind))) {
    const old = before
      .list(kind)
      .map(keyOf)
      .filter((key) => objects.has(key));
    const now = after
      .list(kind)
      .map(keyOf)
      .filter((key) => before.get(key) !== undefined);
    now.forEach((key, rank) => {
      if (old[rank] !== key) keys.push(key);
    });
  }
  return keys;
}
