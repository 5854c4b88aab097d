import {
  attributeType,
  bytesOf,
  durationOfNanos,
  type Environment,
  MapValue,
  type Result,
  type Type,
  timestampOfNanos,
  Uint,
  type Value,
  type AttributeReader as ValueReader,
  type AttributeSource as ValueSource,
} from "@mixerless/expression";
import type { AttributeReader, AttributeSource, AttributeValue } from "../extension-host/attributes/attribute.ts";
import { resolveAttribute } from "../extension-host/attributes/resolve.ts";
import type { HeaderMap } from "../http/header-map.ts";
import type { StreamInfo } from "../stream/stream-info.ts";
import { keepRead, type StateObject, type StateReader, type StateReaderTable } from "./state-reader.ts";
import { fromJson, HeaderValues, textOf } from "./values.ts";

const SECTIONS: Readonly<Record<string, (info: StreamInfo) => HeaderMap | null>> = {
  "request.headers": (info) => info.requestHeaders,
  "request.headers_bytes": (info) => info.requestHeaders,
  "response.headers": (info) => info.responseHeaders,
  "response.headers_bytes": (info) => info.responseHeaders,
  "response.trailers": (info) => info.responseTrailers,
};

/** The attributes of streams as values of expressions. */
export class AttributeValues implements ValueSource<AttributeSource> {
  readonly #environment: Environment;
  readonly #states: ReadonlyMap<string, StateReader>;

  constructor(environment: Environment, states: StateReaderTable) {
    this.#environment = environment;
    this.#states = new Map(Object.entries(states).map(([name, read]) => [name, keepRead(read)]));
  }

  resolve(path: readonly string[]): ValueReader<AttributeSource> {
    return this.#section(path) ?? this.#state(path) ?? converted(path, attributeType(this.#environment, path).kind);
  }

  /** A header section as a whole. */
  #section(path: readonly string[]): ValueReader<AttributeSource> | null {
    const name = path.join(".");
    const section = path.length === 2 && Object.hasOwn(SECTIONS, name) ? SECTIONS[name] : undefined;
    if (section === undefined) return null;
    const toValue: (bytes: string) => Value = name.endsWith("_bytes") ? bytesOf : textOf;
    return ({ info }) => {
      const headers = info === null ? null : section(info);
      return headers === null ? undefined : new HeaderValues(headers, toValue);
    };
  }

  /**
   * What stands below a state whose form an extension told: `filter_state.upstream_peer.labels['app']`, or as older
   * releases write it `upstream_peer.labels['app'].value`.
   */
  #state(path: readonly string[]): ValueReader<AttributeSource> | null {
    const [name = "", ...rest] = path[0] === "filter_state" ? path.slice(1) : path;
    const read = this.#states.get(name);
    if (read === undefined || rest.length === 0) return null;
    const find = stateField(rest);
    return ({ info }) => {
      const bytes = info?.filterState.get(name);
      const object = typeof bytes === "string" ? read(bytes) : null;
      return object === null ? undefined : find(object);
    };
  }
}

function stateField(path: readonly string[]): (object: StateObject) => Result | undefined {
  const [field = "", label = "", tail] = path;
  if (path.length === 1 && field !== "labels") return (object) => shown(object.field(field));
  if (field !== "labels" || path.length > 3 || (tail !== undefined && tail !== "value")) return () => undefined;
  if (path.length === 1) return (object) => new LabelValues(object);
  return (object) => shown(object.label(label) || null);
}

function shown(bytes: string | null): string | undefined {
  return bytes === null ? undefined : textOf(bytes);
}

class LabelValues extends MapValue {
  readonly #object: StateObject;

  constructor(object: StateObject) {
    super();
    this.#object = object;
  }

  get size(): number {
    return this.#object.labelNames().length;
  }

  get(key: Value): Value | undefined {
    return typeof key === "string" ? shown(this.#object.label(key) || null) : undefined;
  }

  keys(): Iterable<Value> {
    return this.#object.labelNames().map(textOf);
  }
}

/** The reader that extensions have, with its value in the type that the vocabulary gives the attribute. */
function converted(path: readonly string[], kind: Type["kind"]): ValueReader<AttributeSource> {
  const read: AttributeReader = resolveAttribute(path);
  switch (kind) {
    case "string":
    case "int":
    case "bool":
      return (source) => scalar(read(source));
    case "uint":
      return numeric(read, (value) => new Uint(value));
    case "timestamp":
      return numeric(read, timestampOfNanos);
    case "duration":
      return numeric(read, durationOfNanos);
    case "bytes":
      return (source) => {
        const value = read(source);
        return typeof value === "string" ? bytesOf(value) : undefined;
      };
    default:
      return (source) => {
        const value = read(source);
        if (value === null || value === undefined) return undefined;
        return typeof value === "string" ? textOf(value) : fromJson(value);
      };
  }
}

function scalar(value: AttributeValue): Value | undefined {
  if (typeof value === "string") return textOf(value);
  return typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

function numeric(read: AttributeReader, toValue: (value: number) => Value): ValueReader<AttributeSource> {
  return (source) => {
    const value = read(source);
    return typeof value === "number" ? toValue(value) : undefined;
  };
}
