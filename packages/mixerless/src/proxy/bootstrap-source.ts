import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";

/** A bootstrap's text, read. */
export interface BootstrapSource {
  /** Plain values, as JSON has them. */
  readonly value: unknown;
  /** `file:line` of a field path such as `staticResources.clusters[0].type`, or of its nearest ancestor that was written. */
  locate(path: string): string;
}

/** Reads YAML, of which JSON is a part. Throws an Error with file, line and cure when it is neither. */
export function readBootstrapSource(file: string, text: string): BootstrapSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: true });
  const at = (offset: number) => `${file}:${Math.max(lines.linePos(offset).line, 1)}`;
  const [error] = document.errors;
  if (error !== undefined) {
    const message = error.message.replace(/\.?$/, ".");
    throw new Error(
      `${at(error.pos[0])}: not valid YAML or JSON: ${message} Correct the indentation, quotes, brackets or repeated key there.`,
    );
  }
  const value: unknown = document.toJS({ maxAliasCount: 1000 });
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new Error(
      `${file}:1: a bootstrap is an object. Begin with staticResources (or static_resources), listeners and clusters in it.`,
    );
  return {
    value,
    locate: (path) => {
      let node: unknown = document.contents;
      let offset = document.contents?.range?.[0] ?? 0;
      for (const step of path.matchAll(STEP)) {
        const found = stepInto(node, step);
        if (found === null) break;
        node = found.node;
        offset = found.offset ?? offset;
      }
      return at(offset);
    },
  };
}

/** `name`, `[3]` or `["key of a map"]`. */
const STEP = /\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g;

interface Found {
  readonly node: unknown;
  readonly offset: number | undefined;
}

function stepInto(node: unknown, [, key, index, name]: RegExpMatchArray): Found | null {
  if (index !== undefined) {
    const item = isSeq(node) ? node.items[Number(index)] : undefined;
    return item === undefined ? null : { node: item, offset: offsetOf(item) };
  }
  if (!isMap(node)) return null;
  const wanted = key === undefined ? [name, snakeCase(name ?? "")] : [JSON.parse(`"${key}"`)];
  const pair = node.items.find(({ key: candidate }) => isScalar(candidate) && wanted.includes(String(candidate.value)));
  return pair === undefined ? null : { node: pair.value, offset: offsetOf(pair.key) };
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined;
}

/** Faults name fields as JSON does; files mostly spell them as the definitions do. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
