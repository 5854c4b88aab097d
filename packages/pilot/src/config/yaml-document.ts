// YAML and JSON text as plain values that know where each of their fields was written.
//
// Files are read as YAML 1.2: `on` and `yes` are text and `017` is seventeen, where kubectl, which reads
// YAML 1.1, takes a boolean and fifteen. The fields of the kinds kept here leave no doubt in practice: text
// where a boolean belongs is refused with a hint. JSON is a subset and takes the same way.
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type YAMLMap } from "yaml";
import type { Position } from "./config-object.ts";
import type { Fault } from "./fault.ts";
import type { PathSegment } from "./field-path.ts";

/** Values of one document, aliases included. Far above any real object, far below what stalls a process. */
const MAX_NODES = 200_000;
const MAX_DEPTH = 200;
/** One mistake makes a YAML parser complain about everything behind it; the first few tell the cause. */
const MAX_SYNTAX_FAULTS = 3;
const MAX_TEXT_FAULTS = 20;

/** A document, or an entry of a `kind: List`. */
export interface SourceObject {
  readonly value: unknown;
  /** The place of a field, or of its nearest ancestor that was written. */
  locate(path: readonly PathSegment[]): Position;
  /** The text of a `|` block at that path and its place, for documents within documents. */
  blockText(path: readonly PathSegment[]): { readonly text: string; readonly place: PlaceMap } | undefined;
  /** Faults of the text itself, such as a repeated key; `path` and `object` are not filled in. */
  readonly faults: readonly Fault[];
}

export interface SourceText {
  readonly objects: readonly SourceObject[];
  /** Syntax errors. When there is one, `objects` is empty: what the text means is a guess. */
  readonly faults: readonly Fault[];
}

/** Translates a place within `text` into a place within the file that it was cut out of. */
export type PlaceMap = (line: number, column: number) => { line: number; column: number };

const UNCHANGED: PlaceMap = (line, column) => ({ line, column });

/** Reads all documents of a text. Never throws. Empty documents are left out. */
export function parseSource(file: string, text: string, place: PlaceMap = UNCHANGED): SourceText {
  const lines = new LineCounter();
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, ...place(Math.max(line, 1), Math.max(col, 1)) };
  };
  try {
    // Repeated keys are found while converting; the parser's own check is quadratic in the size of a map.
    const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const errors = documents.flatMap((document) => document.errors);
    if (errors.length > 0) {
      const shown = errors.slice(0, MAX_SYNTAX_FAULTS);
      return { objects: [], faults: shown.map((error) => syntaxFault(error.message, positionAt(error.pos[0]))) };
    }
    const objects: SourceObject[] = [];
    for (const document of documents) {
      const root = document.contents;
      if (root === null || (isScalar(root) && root.value === null)) continue;
      objects.push(...splitLists(new Converter(positionAt).convert(root), { root, text, positionAt }));
    }
    return { objects, faults: [] };
  } catch (error) {
    // Nesting that exhausts the stack of the parser ends here.
    const reason = error instanceof Error ? error.message : String(error);
    return { objects: [], faults: [syntaxFault(`The text can't be parsed: ${reason}.`, { file, line: 0, column: 0 })] };
  }
}

function syntaxFault(message: string, position: Position): Fault {
  return {
    code: "syntax",
    severity: "error",
    object: "",
    path: "",
    ...position,
    message: `Not valid YAML: ${message.replace(/\.?$/, ".")} No object of this file is read; those that it held before stay.`,
    cure: "Correct the indentation, quotes or brackets at this place.",
  };
}

interface Converted {
  readonly value: unknown;
  readonly faults: readonly Fault[];
}

interface Parsed {
  readonly root: Node;
  readonly text: string;
  readonly positionAt: (offset: number) => Position;
}

function splitLists({ value, faults }: Converted, parsed: Parsed): SourceObject[] {
  // A fault of the text can't be told apart by entry, so every entry of a list carries it.
  if (isList(value)) return value.items.map((item, index) => sourceObject(item, faults, parsed, ["items", index]));
  return [sourceObject(value, faults, parsed, [])];
}

function sourceObject(
  value: unknown,
  faults: readonly Fault[],
  parsed: Parsed,
  base: readonly PathSegment[],
): SourceObject {
  return {
    value,
    faults,
    locate: (path) => parsed.positionAt(walk(parsed.root, [...base, ...path]).offset),
    blockText: (path) => blockText(walk(parsed.root, [...base, ...path]).node, parsed),
  };
}

function blockText(node: unknown, { text, positionAt }: Parsed): ReturnType<SourceObject["blockText"]> {
  if (!isScalar(node) || node.type !== "BLOCK_LITERAL" || typeof node.value !== "string") return undefined;
  const start = node.range?.[0] ?? 0;
  const header = positionAt(start).line;
  const indent = /\n( *)\S/.exec(text.slice(start, node.range?.[1]))?.[1]?.length ?? 0;
  return { text: node.value, place: (line, column) => ({ line: header + line, column: column + indent }) };
}

function isList(value: unknown): value is { items: unknown[] } {
  if (typeof value !== "object" || value === null || !("kind" in value) || !("items" in value)) return false;
  return typeof value.kind === "string" && /^([A-Z]\w*)?List$/.test(value.kind) && Array.isArray(value.items);
}

/** Turns nodes into frozen plain values, within limits of number and depth. */
class Converter {
  #nodes = 0;
  #faults: Fault[] = [];
  #anchors = new Map<string, Node>();
  readonly #positionAt: (offset: number) => Position;

  constructor(positionAt: (offset: number) => Position) {
    this.#positionAt = positionAt;
  }

  convert(root: Node): Converted {
    const value = this.#value(root, 0);
    return { value, faults: this.#faults };
  }

  #value(node: unknown, depth: number): unknown {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES || depth > MAX_DEPTH) {
      throw new Error(`more than ${MAX_NODES} values or ${MAX_DEPTH} levels in one document (aliases count each time)`);
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) return this.#value(target, depth + 1);
      this.#fault(node, "unknown-alias", `The alias *${node.source} names no anchor that stands before it.`);
      return undefined;
    }
    if (isScalar(node) || isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    }
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return Object.freeze(node.items.map((item) => this.#value(item, depth + 1)));
    if (isMap(node)) return Object.freeze(this.#map(node, depth));
    return null;
  }

  #map(node: YAMLMap, depth: number): Record<string, unknown> {
    const result = Object.create(null) as Record<string, unknown>;
    const inherited: unknown[] = [];
    for (const pair of node.items) {
      const key = keyText(pair.key);
      if (key === undefined) {
        this.#fault(pair.key, "key-not-text", "A key is not plain text.");
        continue;
      }
      const value = this.#value(pair.value, depth + 1);
      if (key === "<<") inherited.push(...(Array.isArray(value) ? value : [value]));
      else if (Object.hasOwn(result, key)) this.#repeatedKey(pair.key, key, node);
      else result[key] = value;
    }
    for (const source of inherited) mergeMissing(result, source);
    return result;
  }

  #repeatedKey(node: unknown, key: string, map: YAMLMap): void {
    const first = map.items.find((pair) => keyText(pair.key) === key);
    const line = isScalar(first?.key) ? this.#positionAt(first.key.range?.[0] ?? 0).line : 0;
    this.#fault(node, "repeated-key", `The key ${key} is written twice, first on line ${line}.`);
  }

  #fault(node: unknown, code: string, message: string): void {
    if (this.#faults.length >= MAX_TEXT_FAULTS) return;
    const offset = isScalar(node) || isAlias(node) || isMap(node) || isSeq(node) ? (node.range?.[0] ?? 0) : 0;
    const cure = "Keep one of them, or correct the text at this place.";
    this.#faults.push({ code, severity: "error", object: "", path: "", ...this.#positionAt(offset), message, cure });
  }
}

function keyText(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null || key.value === undefined) return undefined;
  return String(key.value);
}

function mergeMissing(target: Record<string, unknown>, source: unknown): void {
  if (typeof source !== "object" || source === null) return;
  for (const [key, value] of Object.entries(source)) if (!Object.hasOwn(target, key)) target[key] = value;
}

/** Where a path leads. Collections are shown where their key stands, scalars where they stand themselves. */
function walk(root: Node, path: readonly PathSegment[]): { node: unknown; offset: number } {
  let node: unknown = root;
  let offset = root.range?.[0] ?? 0;
  for (const segment of path) {
    const step = stepInto(node, segment);
    if (step === undefined) return { node: undefined, offset };
    offset = step.offset ?? offset;
    node = step.node;
  }
  return { node, offset };
}

function stepInto(node: unknown, segment: PathSegment): { node: unknown; offset: number | undefined } | undefined {
  if (isSeq(node) && typeof segment === "number") {
    const item = node.items[segment];
    return item === undefined ? undefined : { node: item, offset: offsetOf(item) };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((candidate) => keyText(candidate.key) === String(segment));
  if (pair === undefined || !isPair(pair)) return undefined;
  const scalar = isScalar(pair.value) && pair.value.source !== "";
  return { node: pair.value, offset: offsetOf(scalar ? pair.value : pair.key) };
}

function offsetOf(node: unknown): number | undefined {
  if (isScalar(node) || isAlias(node) || isMap(node) || isSeq(node)) return node.range?.[0];
  return undefined;
}
