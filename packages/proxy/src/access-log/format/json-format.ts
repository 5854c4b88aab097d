import type { ConfigFault } from "../../network/config-fault.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import { jsonString } from "./json-string.ts";
import type { OperatorTable, Segment } from "./operator.ts";
import { parseFormat } from "./parse-format.ts";
import { createTextFormat, type LineFormat } from "./text-format.ts";

/** A value of the format. Gives JSON text, or null where the value is missing. */
type Node = (info: StreamInfo) => string | null;

/**
 * Compiles a JSON format: an object of format strings, nested objects and lists. A value that is exactly one
 * operator keeps its type, one that mixes text and operators is a string [telemetry §6.2].
 */
export function createJsonFormat(
  format: unknown,
  omitEmpty: boolean,
  operators: OperatorTable,
  path: string,
  faults: ConfigFault[],
): LineFormat {
  const node = compileNode(format, omitEmpty, operators, path, faults);
  return (info) => `${node(info) ?? "{}"}\n`;
}

function compileNode(
  value: unknown,
  omitEmpty: boolean,
  operators: OperatorTable,
  path: string,
  faults: ConfigFault[],
): Node {
  if (typeof value === "string") {
    const parsed = parseFormat(value, operators, path);
    faults.push(...parsed.faults);
    return stringNode(parsed.segments, omitEmpty);
  }
  if (Array.isArray(value)) {
    const items = value.map((item, i) => compileNode(item, omitEmpty, operators, `${path}[${i}]`, faults));
    return (info) => `[${items.map((item) => item(info) ?? "null").join(",")}]`;
  }
  if (value !== null && typeof value === "object") {
    return objectNode(value as Readonly<Record<string, unknown>>, omitEmpty, operators, path, faults);
  }
  const constant = JSON.stringify(value);
  return () => constant;
}

function objectNode(
  value: Readonly<Record<string, unknown>>,
  omitEmpty: boolean,
  operators: OperatorTable,
  path: string,
  faults: ConfigFault[],
): Node {
  const prefixes: string[] = [];
  const nodes: Node[] = [];
  for (const [key, item] of Object.entries(value)) {
    prefixes.push(`${jsonString(Buffer.from(key, "utf8").toString("latin1"))}:`);
    nodes.push(compileNode(item, omitEmpty, operators, `${path}.${key}`, faults));
  }
  return (info) => {
    let text = "{";
    for (let i = 0; i < nodes.length; i++) {
      const json = nodes[i]?.(info) ?? null;
      if (json === null && omitEmpty) continue;
      if (text.length > 1) text += ",";
      text += prefixes[i];
      text += json ?? "null";
    }
    return `${text}}`;
  };
}

function stringNode(segments: readonly Segment[], omitEmpty: boolean): Node {
  const [only] = segments;
  if (segments.length !== 1 || only === undefined || typeof only === "string") {
    const print = createTextFormat(segments, omitEmpty ? "" : "-");
    return (info) => jsonString(print(info));
  }
  return (info) => {
    const value = only.read(info);
    if (value === null) return null;
    if (typeof value === "string")
      return jsonString(value.length > only.maxLength ? value.slice(0, only.maxLength) : value);
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };
}
