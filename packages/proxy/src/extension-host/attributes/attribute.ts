import type { ListenerFacts, StreamInfo } from "../../stream/stream-info.ts";

/** `xds.node` as extensions read it, plain JSON: `id`, `cluster`, `metadata`, `locality` and so on. */
export type NodeFacts = Readonly<Record<string, unknown>>;

/** What attributes are read from. */
export interface AttributeSource {
  /** Null for a root context, which has no stream. */
  readonly info: StreamInfo | null;
  readonly listener: ListenerFacts;
  readonly scope: AttributeScope;
}

/** What is the same for all streams of one extension. */
export interface AttributeScope {
  readonly node: NodeFacts;
  readonly pluginName: string;
  /** Sizes of messages as Wasm filters see them (headers and body) instead of all bytes on the wire [decision 5]. */
  readonly messageSizes: boolean;
}

/**
 * What an attribute is. Durations and time stamps are nanoseconds. Null: absent. Strings are byte strings. Objects
 * have no value by themselves, only their fields do.
 */
export type AttributeValue = string | number | boolean | object | null | undefined;

/** Reads one attribute. */
export type AttributeReader = (source: AttributeSource) => AttributeValue;

/** Makes the reader of a path below a root: `rest` is what follows it. Null: there is no such attribute. */
export type AttributeFamily = (rest: readonly string[]) => AttributeReader | null;

/** Families by the first segments of their paths. */
export type AttributeTable = Readonly<Record<string, AttributeFamily>>;

/** A family of fixed names below one root. */
export function fields(
  table: Readonly<Record<string, (info: StreamInfo, source: AttributeSource) => AttributeValue>>,
): AttributeFamily {
  return (rest) => {
    const [name = ""] = rest;
    if (rest.length !== 1 || !Object.hasOwn(table, name)) return null;
    const read = table[name];
    return read === undefined ? null : (source) => (source.info === null ? null : read(source.info, source));
  };
}

/** Follows a path into plain JSON. Elements of lists are addressed by their index. */
export function descend(from: unknown, path: readonly string[], start = 0): AttributeValue {
  let value = from;
  for (let i = start; i < path.length; i++) {
    const key = path[i] as string;
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return null;
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === "string" ? byteString(value) : (value as AttributeValue);
}

const NOT_ASCII = /[^ -~]/;

/** The UTF-8 bytes of a text, one char each. */
export function byteString(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}
