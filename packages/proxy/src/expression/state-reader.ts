/** An object that an extension left in filter state as bytes, such as the peer of a connection. */
export interface StateObject {
  /** Null: there is no such field, or it is empty. Byte strings. */
  field(name: string): string | null;
  /** Empty: there is no such label. */
  label(name: string): string;
  labelNames(): readonly string[];
}

/** Reads what an extension left; null where it is malformed. `bytes` is a byte string. */
export type StateReader = (bytes: string) => StateObject | null;

/** Readers by the names of the states. */
export type StateReaderTable = Readonly<Record<string, StateReader>>;

const MOST_KEPT = 64;

/** Remembers what it has read: the same few peers stand behind most streams. */
export function keepRead(read: StateReader): StateReader {
  const kept = new Map<string, StateObject | null>();
  return (bytes) => {
    const known = kept.get(bytes);
    if (known !== undefined) return known;
    if (kept.size >= MOST_KEPT) kept.clear();
    const made = read(bytes);
    kept.set(bytes, made);
    return made;
  };
}
