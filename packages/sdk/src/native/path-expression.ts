import { ExpressionHandle, type StreamHandle } from "./handles.ts";
import { Property } from "./names.ts";

const FIRST = /^[A-Za-z_][A-Za-z0-9_]*/;
// `.name`, `['any text']`, `["any text"]` or `[3]`; escapes are left to CEL.
const NEXT = /\s*(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[\s*(?:'([^'\\]*)'|"([^"\\]*)"|(\d{1,9}))\s*\])/y;
const CONSTANTS = new Set(["true", "false", "null"]);

/** The path that a plain CEL member expression such as `xds.node.metadata['NAME']` stands for; null for anything else. */
export function parsePath(text: string): string[] | null {
  const source = text.trim();
  const first = FIRST.exec(source)?.[0];
  if (first === undefined || CONSTANTS.has(first)) return null;
  const path = [first];
  NEXT.lastIndex = first.length;
  let end = first.length;
  for (let match = NEXT.exec(source); match !== null; match = NEXT.exec(source)) {
    path.push(match[1] ?? match[2] ?? match[3] ?? match[4] ?? "");
    end = NEXT.lastIndex;
  }
  return end === source.length ? path : null;
}

class PathExpression extends ExpressionHandle {
  readonly #property: Property;

  constructor(path: string[]) {
    super();
    this.#property = new Property(path);
  }

  evaluate(stream: StreamHandle): string | null {
    return stream.getString(this.#property);
  }
}

/** An expression that only reads one attribute, or null if `text` is more than that. Needs no CEL in the host. */
export function createPathExpression(text: string): ExpressionHandle | null {
  const path = parsePath(text);
  return path === null ? null : new PathExpression(path);
}
