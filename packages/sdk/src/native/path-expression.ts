import { parseAttributePath } from "../portable/attribute-path.ts";
import { ExpressionHandle, type StreamHandle } from "./handles.ts";
import { Property } from "./names.ts";

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
  const path = parseAttributePath(text);
  return path === null ? null : new PathExpression(path);
}
