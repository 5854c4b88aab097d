/**
 * Names are objects that are made once, as field initialisers of a root context. Each carries a small number that is the
 * same for equal names in the whole process, so a host keeps an array of resolvers and never compares text per stream.
 */
class SlotTable {
  readonly #slots = new Map<string, number>();

  slotOf(key: string): number {
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.#slots.size;
    this.#slots.set(key, slot);
    return slot;
  }
}

// Shared by the process on purpose: a slot is a name, not a value, and two roots must agree on it.
const properties = new SlotTable();
const headers = new SlotTable();
const states = new SlotTable();

/**
 * The path of an attribute, e.g. `["response", "code"]`. A segment may contain dots. Elements of lists are addressed
 * by their decimal index: `["xds", "cluster_metadata", "filter_metadata", "istio", "services", "0", "host"]`.
 */
export class Property {
  /** The segments. */
  readonly path: string[];
  /** Equal for equal paths, dense from 0. */
  readonly slot: i32;

  constructor(path: string[]) {
    this.path = path;
    this.slot = properties.slotOf(path.join("\0"));
  }
}

/** The name of a header, in lower case. Pseudo headers (`:path`, `:authority`) are ordinary names. */
export class HeaderName {
  /** In lower case. */
  readonly name: string;
  /** Equal for equal names, dense from 0. */
  readonly slot: i32;

  constructor(name: string) {
    this.name = name.toLowerCase();
    this.slot = headers.slotOf(this.name);
  }
}

/** A header value that is written to many streams: encoded once. */
export class HeaderValue {
  /** A byte string: one character is one byte. */
  readonly text: string;
  /** The same as bytes, for a codec that copies. Not to be changed. */
  readonly bytes: Uint8Array;

  constructor(text: string) {
    this.text = text;
    this.bytes = Buffer.from(text, "latin1");
  }
}

/** The name of a filter-state entry that extensions of one stream share. */
export class StateName {
  /** As it was given. */
  readonly name: string;
  /** Equal for equal names, dense from 0. */
  readonly slot: i32;

  constructor(name: string) {
    this.name = name;
    this.slot = states.slotOf(name);
  }
}
