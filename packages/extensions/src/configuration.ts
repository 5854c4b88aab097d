import {
  JSON_OBJECT,
  JsonReader,
  JsonValue,
  LOG_ERROR,
  LOG_WARN,
  Property,
  RootContext,
  StreamContext,
  toInt,
} from "@mixerless/sdk";

/**
 * The configuration as an object: an empty text means an object without members. Null, after a log line, if it is not a
 * JSON object.
 */
export function readConfiguration(root: RootContext, extension: string, text: string): JsonValue | null {
  if (text.trim().length === 0) return new JsonValue(JSON_OBJECT, "");
  const reader = new JsonReader(text);
  const value = reader.parse();
  if (value !== null && value.kind === JSON_OBJECT) return value;
  const cause = value === null ? reader.problem : "the value is not an object";
  root.log(LOG_ERROR, `${extension}: the configuration is not a JSON object: ${cause}`);
  return null;
}

const DIRECTION: Property = new Property(["xds", "listener_direction"]);
const OLD_DIRECTION: Property = new Property(["listener_direction"]);

/**
 * On which side of the proxy the plugin is, one of `DIRECTION_…`; -1: not known yet. Envoy tells it where there is a
 * stream, earlier releases by another name.
 */
export function listenerDirection(root: RootContext): i32 {
  const direction: f64 = root.getNumber(DIRECTION, -1);
  return toInt(direction >= 0 ? direction : root.getNumber(OLD_DIRECTION, -1));
}

/** As {@link listenerDirection}, told by a stream: known in any case. */
export function streamDirection(stream: StreamContext): i32 {
  const direction: f64 = stream.getNumber(DIRECTION, -1);
  return toInt(direction >= 0 ? direction : stream.getNumber(OLD_DIRECTION, 0));
}

/** The member with this protobuf name, written in snake case or in lower camel case; null if absent. */
export function member(object: JsonValue, name: string): JsonValue | null {
  const found = object.get(name);
  return found !== null ? found : object.get(camelCase(name));
}

/** Logs members that `known` (protobuf names) does not contain. They change nothing. */
export function warnOfUnknown(root: RootContext, extension: string, object: JsonValue, known: string[]): void {
  for (let i: i32 = 0; i < object.names.length; i++) {
    if (!isKnown(object.names[i]!, known)) {
      root.log(LOG_WARN, `${extension}: unknown field "${object.names[i]!}" is ignored`);
    }
  }
}

/** The elements of a list member as texts; elements of other kinds are left out. */
export function texts(list: JsonValue | null): string[] {
  const result: string[] = [];
  if (list === null) return result;
  for (let i: i32 = 0; i < list.items.length; i++) {
    const text = list.items[i]!.asText("");
    if (text.length > 0) result.push(text);
  }
  return result;
}

/** A protobuf-JSON duration (`"15s"`, `"0.5s"`) in milliseconds, at most 24 hours; the fallback for anything else. */
export function durationMilliseconds(value: JsonValue | null, fallback: i32): i32 {
  const text = value === null ? "" : value.asText("");
  if (!text.endsWith("s")) return fallback;
  const point: i32 = text.indexOf(".");
  const end: i32 = text.length - 1;
  const whole: i32 = digits(text, 0, point < 0 ? end : point, 5);
  const fraction: i32 = point < 0 ? 0 : digits(`${text.substring(point + 1, end)}000`, 0, 3, 3);
  if (whole < 0 || whole > 86400 || fraction < 0) return fallback;
  return whole * 1000 + fraction;
}

function digits(text: string, start: i32, end: i32, maximum: i32): i32 {
  if (end <= start || end - start > maximum) return -1;
  let value: i32 = 0;
  for (let i: i32 = start; i < end; i++) {
    const digit: i32 = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function isKnown(name: string, known: string[]): boolean {
  for (let i: i32 = 0; i < known.length; i++) {
    if (name === known[i]! || name === camelCase(known[i]!)) return true;
  }
  return false;
}

function camelCase(name: string): string {
  const words = name.split("_");
  let result = words[0]!;
  for (let i: i32 = 1; i < words.length; i++) {
    result += words[i]!.substring(0, 1).toUpperCase() + words[i]!.substring(1);
  }
  return result;
}
